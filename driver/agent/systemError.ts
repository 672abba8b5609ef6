/** The errno name of an error of the operating system, e.g. `EADDRINUSE`. */
export function errorCode(error: unknown): string | undefined {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

export function errorMessage(error: unknown): string {
  const message = fieldOf(error, 'message');
  return typeof message === 'string' ? message : String(error);
}

/** Not by `instanceof Error`: errors of Node's own modules are of another realm under jest. */
function fieldOf(error: unknown, name: 'code' | 'message'): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
