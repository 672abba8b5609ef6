import { ServiceError } from '../driver/domain/errors';

/** Shape A: nearly all faults. */
export interface Fault {
  readonly faultcode: 'Client' | 'Server';
  readonly faultstring: string;
  readonly debuginfo: null;
}

/** Shape A of a status and a text. */
export function fault(status: number, text: string): Fault {
  return { faultcode: status < 500 ? 'Client' : 'Server', faultstring: text, debuginfo: null };
}

/** Shape B: what the router says, and what hooks in front of the resources refuse. */
export class RouterFaultError extends ServiceError {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly description: string,
    /** The methods that would be allowed, for a 405. */
    readonly allow?: readonly string[],
  ) {
    super(description || title);
  }
}

/** 404 of shape B: no such route. */
export function noSuchRoute(): RouterFaultError {
  return new RouterFaultError(404, 'Not Found', '');
}

/** 405 of shape B. */
export function methodNotAllowed(allow: readonly string[]): RouterFaultError {
  return new RouterFaultError(405, 'Method Not Allowed', '', allow);
}

/** 404 of shape B with Octavia's odd title: the parent of a sub-collection is unknown. */
export function unknownParent(resource: 'Pool' | 'L7Policy', id: string): RouterFaultError {
  return new RouterFaultError(404, 'Bad Request', `${resource} ${id} not found.`);
}

/** 413, plain text. */
export class TooLargeError extends ServiceError {
  readonly status = 413;
  constructor() {
    super('Request is too large.');
  }
}

/** 415. */
export class UnknownMimeTypeError extends ServiceError {
  readonly status = 415;
  constructor(type: string) {
    super(`Unknown mimetype: ${type}`);
  }
}

/** 401. */
export class UnauthorizedError extends ServiceError {
  readonly status = 401;
  constructor() {
    super('The request you have made requires authentication.');
  }
}
