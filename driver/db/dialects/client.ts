import type { Knex } from 'knex';

/** What a statement may be given; everything else goes through `codecs.ts` first. */
export type Binding = string | number | bigint | null;
export type Row = Record<string, unknown>;

/** What `connect.ts` needs of a dialect beyond knex. */
export interface DialectClient {
  readonly dialect: 'sqlite3' | 'mysql';
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
  /** Runs a statement that is prepared once a connection. */
  runPrepared(connection: unknown, sql: string, bindings: readonly Binding[]): Promise<PreparedResult>;
}

export interface PreparedResult {
  /** Of a SELECT. */
  readonly rows: Row[];
  /** Rows inserted, deleted, or met by an UPDATE. */
  readonly changed: number;
}

/** The dialect behind a connection or a transaction. */
export function dialectOf(db: Knex): DialectClient {
  return db.client as DialectClient;
}

const ignore = (): void => undefined;
/** knex would print to the console what it throws as well. */
export const SILENT: Knex.Logger = { warn: ignore, error: ignore, deprecate: ignore, debug: ignore };

/** What can be read off an error of a driver, or of the socket below it. */
export interface DriverError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly errno?: number;
}

/** By its looks: errors of Node's own sockets are not `instanceof Error` in another realm, such as a test runner's. */
export function asDriverError(error: unknown): DriverError | undefined {
  const looksRight = typeof error === 'object' && error !== null && 'message' in error && 'name' in error;
  return looksRight ? (error as DriverError) : undefined;
}
