/** Stops the start: something in the configuration cannot be used. The message names all an operator needs to mend it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A value that its option does not take. Secret values are not repeated. */
export class BadValueError extends ConfigError {
  constructor(
    readonly section: string,
    readonly option: string,
    readonly value: string,
    readonly expected: string,
  ) {
    super(`[${section}] ${option} = ${value}: expected ${expected}`);
  }
}
