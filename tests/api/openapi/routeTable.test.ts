import { loadDocument } from '../../../api/openapi/document';
import { buildRouteTable } from '../../../api/openapi/routeTable';

const find = buildRouteTable(loadDocument());

it('finds the operations of a path and the values in it', () => {
  const found = find('/v2/lbaas/pools/p%2F1/members/m1');

  expect(found?.params).toEqual({ pool_id: 'p/1', member_id: 'm1' });
  expect(found?.template).toBe('/v2/lbaas/pools/{pool_id}/members/{member_id}');
  expect(Object.keys(found?.operations ?? {})).toEqual(['GET', 'PUT', 'DELETE']);
  expect(found?.operations['PUT']?.bodySchema?.['x-argument']).toBe('member_');
});

it.each([
  '/v2/slipstream/nothing',
  '/v2/lbaas/nothing',
  '/v2/lbaas/pools/p1/members/m1/more',
  '/v2/lbaas/pools//members',
  '/v2/lbaas/pools/%E0%A4%A',
  '/v2/lbaas/loadbalancers/x/constructor',
])('finds nothing for %s', (path) => {
  expect(find(path)).toBeUndefined();
});
