import { type DestinationStream, type Logger, type LoggerOptions, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';

export interface LoggerSettings {
  /** Which process a line is from: "api", "worker", ... */
  readonly process: string;
  readonly debug: boolean;
  /** For people instead of machines. */
  readonly pretty: boolean;
}

/** What a line must never hold, wherever somebody puts an object that has it. */
const SECRET_KEYS = ['password', 'token', 'secret', 'private_key', 'privateKey', 'passphrase', 'authorization'];
const SECRET_PATHS = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
const SECRET_HEADERS = ['x-auth-token', 'x-subject-token', 'x-service-token', 'x-storage-token', 'cookie'].flatMap(
  (header) => [`headers["${header}"]`, `*.headers["${header}"]`],
);

/**
 * One JSON object a line on standard output; coloured text on a terminal. Context (request id, load balancer id) goes
 * into child loggers: `log.child({ lb: id })`. ERROR means that a person must act now; what heals itself is WARN.
 * @param destination for tests
 */
export function createLogger(settings: LoggerSettings, destination?: DestinationStream): Logger {
  const options: LoggerOptions = {
    level: settings.debug ? 'debug' : 'info',
    base: { process: settings.process },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
    redact: { paths: [...SECRET_PATHS, ...SECRET_HEADERS], censor: '***' },
  };
  const output =
    destination ?? (settings.pretty ? { write: (text: string) => void process.stdout.write(text) } : undefined);
  if (!settings.pretty) return output ? pino(options, output) : pino(options);
  const toText = prettyFactory({
    colorize: destination === undefined,
    ignore: 'process',
    translateTime: 'SYS:HH:MM:ss',
  });
  return pino(options, { write: (line: string) => output?.write(toText(line)) });
}
