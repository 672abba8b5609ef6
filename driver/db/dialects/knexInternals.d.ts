/** The parts of knex's dialects that ours override; knex publishes no types for them. */
declare module 'knex/lib/dialects/better-sqlite3' {
  class Client {
    config: { connection: Record<string, unknown> };
    driver: unknown;
    query(connection: unknown, query: unknown): Promise<unknown>;
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: unknown): Promise<void>;
  }
  export = Client;
}

declare module 'knex/lib/dialects/mysql2' {
  class Client {
    config: { connection: Record<string, unknown> };
    driver: unknown;
    query(connection: unknown, query: unknown): Promise<unknown>;
    acquireConnection(): Promise<unknown>;
    releaseConnection(connection: unknown): Promise<void>;
  }
  export = Client;
}

declare module 'knex/lib/dialects/sqlite3/execution/sqlite-transaction' {
  class Transaction {
    constructor(client: unknown, ...rest: unknown[]);
    query(connection: unknown, sql: string): Promise<unknown>;
    begin(connection: unknown): Promise<unknown>;
  }
  export = Transaction;
}
