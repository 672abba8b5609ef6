import { configFromText } from '../../driver/config/config';
import { readRouting } from '../../driver/config/routing';

const read = (routes: string) => readRouting(configFromText(`[service_engine]\nstatic_routes = ${routes}`));

it('reads routes of both IP versions with the subnets of their next hops', () => {
  expect(read('10.9.0.0/16 10.1.0.1 subnet-1, fd09::/48  fd01::1  subnet-2')).toEqual({
    staticRoutes: [
      { destination: '10.9.0.0/16', nextHop: '10.1.0.1', subnetId: 'subnet-1' },
      { destination: 'fd09::/48', nextHop: 'fd01::1', subnetId: 'subnet-2' },
    ],
    preferStaticRoutes: false,
    enableVipStaticRoutes: false,
  });
  expect(read('').staticRoutes).toEqual([]);
});

it.each([
  '10.9.0.0 10.1.0.1 subnet',
  '10.9.0.0/16 gateway subnet',
  '10.9.0.0/16 fd01::1 subnet',
  '10.9.0.0/16 10.1.0.1',
  '10.9.0.0/16 10.1.0.1 subnet more',
])('refuses %s, with the option', (text) => {
  expect(() => read(text)).toThrow('static_routes');
});
