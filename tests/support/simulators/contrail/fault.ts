export const TEXT = 'text/html; charset=UTF-8';
export const JSON_TYPE = 'application/json';

/** A refusal of the API server: plain text under `text/html`, almost always. */
export class Fault extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly contentType = TEXT,
  ) {
    super(message);
  }
}

/** The page its web framework makes of an error that nothing turned into text. */
export function page(status: number, message: string): Fault {
  return new Fault(status, `<!DOCTYPE HTML>\n<html>\n<body>\n<h1>Error: ${status}</h1>\n<pre>${message}</pre>\n`);
}

export const badRequest = (message: string): Fault => new Fault(400, message);
export const notFound = (message: string): Fault => new Fault(404, message);
export const conflict = (message: string): Fault => new Fault(409, message);
/** An exception of the server, shown by its name. */
export const crash = (message = 'Internal Server Error'): Fault => new Fault(500, message);
