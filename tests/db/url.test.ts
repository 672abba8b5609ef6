import { parseDatabaseUrl } from '../../driver/db/dialects/url';

it.each([
  ['sqlite://', ':memory:'],
  ['sqlite:///:memory:', ':memory:'],
  ['sqlite:///var/site.db', 'var/site.db'],
  ['sqlite:////var/lib/site.db', '/var/lib/site.db'],
])('reads %s as the file %s', (url, filename) => {
  expect(parseDatabaseUrl(url)).toEqual({ dialect: 'sqlite', filename });
});

it('reads the line of an octavia.conf', () => {
  expect(
    parseDatabaseUrl('mysql+pymysql://octavia:p%40ss@db.example:3307/octavia?charset=utf8&plugin=dbcounter'),
  ).toEqual({
    dialect: 'mysql',
    host: 'db.example',
    port: 3307,
    user: 'octavia',
    password: 'p@ss',
    database: 'octavia',
  });
});

it('reads sockets, IPv6 addresses and TLS settings', () => {
  expect(
    parseDatabaseUrl('mysql://u@[::1]/d?unix_socket=/run/db.sock&ssl_ca=/ca.pem&ssl_verify_identity=true'),
  ).toEqual({
    dialect: 'mysql',
    host: '::1',
    port: 3306,
    socketPath: '/run/db.sock',
    user: 'u',
    password: '',
    database: 'd',
    ssl: { caFile: '/ca.pem', verify: true, verifyIdentity: true },
  });
});

it.each(['postgresql://u:secret@h/d', 'mysql://u:secret@h', 'mysql://u:se/cret@h/d'])(
  'refuses %s without repeating the password',
  (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(/^(?!.*cret).+$/);
  },
);
