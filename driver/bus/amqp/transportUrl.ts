import { BadValueError } from '../../config/config';
import { hidePassword } from '../../config/options';

/** One node of the broker. */
export interface Broker {
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
}

/** A `transport_url`, taken apart. */
export interface TransportUrl {
  /** At least one. */
  readonly brokers: readonly Broker[];
  readonly virtualHost: string;
  /** Asked for by the scheme. */
  readonly tls: boolean;
  /** Options of `[oslo_messaging_rabbit]` that follow after `?`; they win. */
  readonly options: Readonly<Record<string, string>>;
}

const SHAPE = /^(?<scheme>[\w+]+):\/\/(?<hosts>[^/?]*)(?:\/(?<path>[^?]*))?(?:\?(?<query>.*))?$/;

/**
 * `rabbit://user:password@host:port,user:password@host:port/virtual_host?option=value` as oslo.messaging reads it: what is
 * percent-encoded is decoded, IPv6 addresses stand in brackets, an empty virtual host is `/`. A host without a user has
 * the one before it; nobody is `guest`.
 * @throws BadValueError
 */
export function parseTransportUrl(url: string): TransportUrl {
  const { scheme = '', hosts = '', path = '', query = '' } = SHAPE.exec(url)?.groups ?? {};
  if (scheme === '') throw unusable(url);
  const tls = scheme === 'amqps';
  const parts = hosts.split(',').filter((host) => host !== '');
  const brokers: Broker[] = [];
  for (const part of parts.length > 0 ? parts : ['localhost']) {
    const before = brokers.at(-1) ?? { username: 'guest', password: 'guest' };
    const broker = readBroker(part, before, tls ? 5671 : 5672);
    if (!broker) throw unusable(url);
    brokers.push(broker);
  }
  try {
    const options = Object.fromEntries(new URLSearchParams(query));
    return { brokers, virtualHost: decodeURIComponent(path) || '/', tls, options };
  } catch {
    throw unusable(url);
  }
}

const BROKER =
  /^(?:(?<username>[^:@]*)(?::(?<password>[^@]*))?@)?(?<hostname>\[[0-9a-fA-F:.]+\]|[^:@[\]]+)(?::(?<port>\d+))?$/;

function readBroker(
  text: string,
  before: Pick<Broker, 'username' | 'password'>,
  defaultPort: number,
): Broker | undefined {
  const { username, password = '', hostname, port = String(defaultPort) } = BROKER.exec(text)?.groups ?? {};
  if (hostname === undefined || Number(port) > 65535) return undefined;
  const address = { hostname: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
  if (username === undefined) return { ...address, username: before.username, password: before.password };
  try {
    return { ...address, username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}

function unusable(url: string): BadValueError {
  const expected = 'rabbit://user:password@host:port,user:password@host:port/virtual_host, percent-encoded';
  return new BadValueError('DEFAULT', 'transport_url', hidePassword(url), expected);
}
