import { ProjectBusyError, ServiceError, UnavailableError } from '../domain/errors';

/**
 * What a database can do to a caller, the same on every dialect. `cause` is the driver's own error, with its SQL; the
 * message is fit for a client.
 */

/** A unique or primary key is taken. Callers that expect it say what the client reads; uncaught it is a 409. */
export class DuplicateKeyError extends ServiceError {
  readonly status = 409;
  /**
   * @param constraint as the driver names it: the key's name on MySQL (`PRIMARY` for the primary key), `table.column`
   *   list on SQLite; undefined if the driver does not say
   */
  constructor(
    readonly constraint: string | undefined,
    cause: unknown,
  ) {
    super('An object with the same key exists already.');
    this.cause = cause;
  }
}

/** A row refers to one that is not there (any more), or one that is still referred to was to go. */
export class ForeignKeyError extends ServiceError {
  readonly status = 409;
  constructor(cause: unknown) {
    super('An object that this change refers to does not exist, or is still in use.');
    this.cause = cause;
  }
}

/**
 * Deadlock, lock time-out or Galera conflict: nothing of the transaction is in force and it may be run again.
 * `inTransaction` does so; what gets through its attempts reads "Project busy" to a client.
 */
export class RetryableDbError extends ProjectBusyError {
  constructor(cause: unknown) {
    super();
    this.cause = cause;
  }
}

/** No answer, or none that counts. If it struck a COMMIT, the transaction may be in force: read again, do not repeat. */
export class DbUnavailableError extends UnavailableError {
  constructor(detail: string, cause?: unknown) {
    super(`The database is not available: ${detail}`);
    this.cause = cause;
  }
}
