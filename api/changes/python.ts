/** Values as Octavia's texts show them: in Python's notation, which clients have seen for years. */

/** `['a', 'b']` */
export function pythonList(values: readonly string[]): string {
  return `[${values.map((value) => `'${value}'`).join(', ')}]`;
}
