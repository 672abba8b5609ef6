/** A refusal in Barbican's form: `{"code", "title", "description"}`. */
export class BarbicanError extends Error {
  constructor(
    readonly status: 400 | 403 | 404 | 405 | 406 | 409 | 413 | 415,
    message: string,
  ) {
    super(message);
  }

  /** The reason phrase Barbican puts beside the code. */
  get title(): string {
    return TITLES[this.status];
  }
}

const TITLES = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
} as const;

/** 404, with Barbican's text for a secret, a container or a consumer. */
export function notFound(kind: 'secret' | 'container' | 'consumer'): BarbicanError {
  return new BarbicanError(404, `${NAMES[kind]} not found.`);
}

const NAMES = { secret: 'Secret', container: 'Secrets container', consumer: 'Consumer' } as const;

/** 403, with Barbican's text. */
export function forbidden(action: string): BarbicanError {
  return new BarbicanError(403, `${action} attempt not allowed - please review your user/project privileges`);
}
