import { canonicalPath } from '../../../api/middleware/requestContext';

it.each([
  ['/', '/'],
  ['/load-balancer', '/'],
  ['/load-balancer/', '/'],
  ['/load-balancer/v2.0/lbaas/pools', '/v2/lbaas/pools'],
  ['/healthcheck', '/healthcheck'],
  ['/load-balancer/healthcheck', '/healthcheck'],
  ['/v2', '/v2'],
  ['/v2.0/', '/v2'],
  ['/v2/lbaas', '/v2'],
  ['/v2.0/octavia/', '/v2'],
  ['/v2/pools', '/v2/lbaas/pools'],
  ['/v2.0/lbaas/pools/', '/v2/lbaas/pools'],
  ['/v2/lbaas/pools.json', '/v2/lbaas/pools'],
  ['/v2/pools/p1/members/m1.json', '/v2/lbaas/pools/p1/members/m1'],
  ['/v2/octavia/amphorae/a1', '/v2/octavia/amphorae/a1'],
  ['/v2.0/openapi.json', '/v2/openapi.json'],
  ['/v2.0/docs', '/v2/docs'],
  ['/load-balancer/v2/docs/', '/v2/docs/'],
  ['/v2/docs/openapi.json', '/v2/docs/openapi.json'],
  ['/v2/lbaas/docs', '/v2/lbaas/docs'],
  ['/v2/docsets', '/v2/lbaas/docsets'],
  ['/v3/pools', '/v3/pools'],
  ['/v2.1/pools', '/v2.1/pools'],
])('reads %s as %s', (path, canonical) => {
  expect(canonicalPath(path)).toBe(canonical);
});
