/** A database as an operator writes it: the URL forms of SQLAlchemy, so that lines of an octavia.conf keep working. */
export type DatabaseAddress =
  | { readonly dialect: 'sqlite'; readonly filename: string }
  | ({ readonly dialect: 'mysql' } & MySqlAddress);

export interface MySqlAddress {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl?: {
    readonly caFile?: string;
    readonly certFile?: string;
    readonly keyFile?: string;
    readonly verify: boolean;
    readonly verifyIdentity: boolean;
  };
}

/**
 * `sqlite:///relative/file`, `sqlite:////absolute/file`, `sqlite://` (in memory); `mysql+pymysql://user:password@host/name`
 * or `mysql://...` with the options unix_socket, ssl, ssl_ca, ssl_cert, ssl_key, ssl_verify_cert, ssl_verify_identity.
 * Other options (charset, plugin) have no meaning here and are passed over.
 * @throws RangeError saying what is wrong, without the password
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  if (text.startsWith('sqlite:')) return { dialect: 'sqlite', filename: sqliteFile(text) };
  if (!/^mysql(?:\+\w+)?:\/\//.test(text)) throw new RangeError('expected sqlite://, mysql:// or mysql+pymysql://');
  if (!URL.canParse(text)) throw new RangeError('not a URL (are special characters of the password %-encoded?)');
  const url = new URL(text);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (!database) throw new RangeError('the URL names no database');
  const socketPath = url.searchParams.get('unix_socket');
  const ssl = sslSettings(url.searchParams);
  return {
    dialect: 'mysql',
    host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: url.port ? Number(url.port) : 3306,
    ...(socketPath ? { socketPath } : {}),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database,
    ...(ssl ? { ssl } : {}),
  };
}

/** The URL of a SQLite file, relative or absolute. */
export function sqliteUrl(filename: string): string {
  return `sqlite:///${filename}`;
}

function sqliteFile(text: string): string {
  const rest = text.replace(/^sqlite:(?:\/\/)?/, '').replace(/\?.*$/, '');
  if (rest === '' || rest === '/' || rest.endsWith(':memory:')) return ':memory:';
  return rest.startsWith('/') ? rest.slice(1) : rest;
}

function sslSettings(options: URLSearchParams): MySqlAddress['ssl'] {
  const isOn = (name: string) => ['true', '1', 'yes'].includes(options.get(name)?.toLowerCase() ?? '');
  const caFile = options.get('ssl_ca');
  const certFile = options.get('ssl_cert');
  const keyFile = options.get('ssl_key');
  if (!caFile && !certFile && !isOn('ssl')) return undefined;
  return {
    ...(caFile ? { caFile } : {}),
    ...(certFile ? { certFile } : {}),
    ...(keyFile ? { keyFile } : {}),
    verify: Boolean(caFile) || isOn('ssl_verify_cert'),
    verifyIdentity: isOn('ssl_verify_identity'),
  };
}
