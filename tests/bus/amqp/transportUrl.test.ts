import { parseTransportUrl } from '../../../driver/bus/amqp/transportUrl';

const node = (hostname: string, port = 5672, username = 'u', password = 'p') => ({
  hostname,
  port,
  username,
  password,
});

it.each([
  ['one broker', 'rabbit://u:p@h:5673/cloud', { brokers: [node('h', 5673)], virtualHost: 'cloud' }],
  ['no port', 'rabbit://u:p@h/cloud', { brokers: [node('h')], virtualHost: 'cloud' }],
  ['no virtual host', 'rabbit://u:p@h', { brokers: [node('h')], virtualHost: '/' }],
  ['an empty virtual host', 'rabbit://u:p@h:5672/', { brokers: [node('h')], virtualHost: '/' }],
  ['a virtual host of a slash', 'rabbit://u:p@h:5672//', { brokers: [node('h')], virtualHost: '/' }],
  [
    'several',
    'rabbit://u:p@a:1,v:q@b:2,c/',
    { brokers: [node('a', 1), node('b', 2, 'v', 'q'), node('c', 5672, 'v', 'q')] },
  ],
  ['IPv6', 'rabbit://u:p@[fd00::1]:5673,u:p@[::1]/', { brokers: [node('fd00::1', 5673), node('::1')] }],
  ['nobody', 'rabbit://h/', { brokers: [node('h', 5672, 'guest', 'guest')] }],
  ['no host', 'rabbit://', { brokers: [node('localhost', 5672, 'guest', 'guest')] }],
  [
    'percent-encoding',
    'rabbit://o%40c:p%2F%3A%40%25@h/a%2Fb',
    { brokers: [node('h', 5672, 'o@c', 'p/:@%')], virtualHost: 'a/b' },
  ],
  ['TLS by scheme', 'amqps://u:p@h/', { brokers: [node('h', 5671)], tls: true }],
  [
    'options',
    'rabbit://u:p@h/cloud?ssl=1&rabbit_login_method=PLAIN',
    { virtualHost: 'cloud', options: { ssl: '1', rabbit_login_method: 'PLAIN' } },
  ],
])('reads %s', (_what, url, expected) => {
  expect(parseTransportUrl(url)).toMatchObject(expected);
});

it.each(['rabbit://u:p@h:99999/', 'rabbit://u:%zz@h/', 'rabbit://u:p@h/%zz', 'h:5672', 'rabbit://u:p@h:x/'])(
  'refuses %s without telling its password',
  (url) => {
    expect(() => parseTransportUrl(url)).toThrow('transport_url');
    expect(() => parseTransportUrl(url)).not.toThrow(/:p@|%zz@/);
  },
);
