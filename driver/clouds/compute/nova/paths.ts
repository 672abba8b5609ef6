/** An id as one segment of a path: whoever names `..` or `?` gets a 404 of its own making. */
export function segment(id: string): string {
  return encodeURIComponent(id).replaceAll('.', '%2E');
}
