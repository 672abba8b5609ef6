/** A daemon did not come up: haproxy, with a configuration that its checker had passed, or nginx. `output` is what it said. */
export class StartError extends Error {
  override readonly name = 'StartError';
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
  }
}
