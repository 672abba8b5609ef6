import { loadDocument } from '../../../api/openapi/document';

const METHODS = ['get', 'post', 'put', 'delete'];

interface DescribedOperation {
  readonly operationId: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
}

const { paths, tags } = loadDocument();
const operations = Object.entries(paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method] !== undefined).map((method) => {
    return { path, method, ...(item[method] as DescribedOperation) };
  }),
);

/** The methods of every path of Octavia's API, whatever its parameters are called. */
const OCTAVIA: Readonly<Record<string, string>> = {
  '/': 'get post',
  '/v2': 'get',
  '/v2/lbaas': 'get',
  '/v2/octavia': 'get',
  '/v2/lbaas/loadbalancers': 'get post',
  '/v2/lbaas/loadbalancers/{}': 'get put delete',
  '/v2/lbaas/loadbalancers/{}/status': 'get',
  '/v2/lbaas/loadbalancers/{}/statuses': 'get',
  '/v2/lbaas/loadbalancers/{}/stats': 'get',
  '/v2/lbaas/loadbalancers/{}/failover': 'put',
  '/v2/lbaas/listeners': 'get post',
  '/v2/lbaas/listeners/{}': 'get put delete',
  '/v2/lbaas/listeners/{}/stats': 'get',
  '/v2/lbaas/pools': 'get post',
  '/v2/lbaas/pools/{}': 'get put delete',
  '/v2/lbaas/pools/{}/members': 'get post put',
  '/v2/lbaas/pools/{}/members/{}': 'get put delete',
  '/v2/lbaas/healthmonitors': 'get post',
  '/v2/lbaas/healthmonitors/{}': 'get put delete',
  '/v2/lbaas/l7policies': 'get post',
  '/v2/lbaas/l7policies/{}': 'get put delete',
  '/v2/lbaas/l7policies/{}/rules': 'get post',
  '/v2/lbaas/l7policies/{}/rules/{}': 'get put delete',
  '/v2/lbaas/quotas': 'get',
  '/v2/lbaas/quotas/{}': 'get put delete',
  '/v2/lbaas/quotas/{}/default': 'get',
  '/v2/lbaas/quotas/defaults': 'get',
  '/v2/lbaas/providers': 'get',
  '/v2/lbaas/providers/{}/flavor_capabilities': 'get',
  '/v2/lbaas/providers/{}/availability_zone_capabilities': 'get',
  '/v2/lbaas/flavors': 'get post',
  '/v2/lbaas/flavors/{}': 'get put delete',
  '/v2/lbaas/flavorprofiles': 'get post',
  '/v2/lbaas/flavorprofiles/{}': 'get put delete',
  '/v2/lbaas/availabilityzones': 'get post',
  '/v2/lbaas/availabilityzones/{}': 'get put delete',
  '/v2/lbaas/availabilityzoneprofiles': 'get post',
  '/v2/lbaas/availabilityzoneprofiles/{}': 'get put delete',
  '/v2/octavia/amphorae': 'get',
  '/v2/octavia/amphorae/{}': 'get delete',
  '/v2/octavia/amphorae/{}/stats': 'get',
  '/v2/octavia/amphorae/{}/failover': 'put',
  '/v2/octavia/amphorae/{}/config': 'put',
};

it('has all 81 operations of Octavia on their 43 paths', () => {
  const documented: Record<string, string> = {};
  for (const { path, method } of operations) {
    const bare = path.replace(/\{\w+\}/g, '{}');
    if (!(bare in OCTAVIA)) continue;
    documented[bare] = documented[bare] ? `${documented[bare]} ${method}` : method;
  }

  expect(documented).toEqual(OCTAVIA);
  expect(Object.keys(documented)).toHaveLength(43);
  expect(Object.values(documented).flatMap((methods) => methods.split(' '))).toHaveLength(81);
});

/** What operators of this service have beside Octavia's API. */
const OPERATORS: Readonly<Record<string, string>> = {
  '/v2/slipstream/service-engine-groups': 'get post',
  '/v2/slipstream/service-engine-groups/{}': 'get put delete',
  '/v2/slipstream/service-engine-groups/{}/resume': 'post',
  '/v2/slipstream/service-engine-groups/{}/upgrade': 'get post',
  '/v2/slipstream/service-engine-groups/{}/upgrade/action': 'post',
  '/v2/slipstream/service-engines': 'get',
  '/v2/slipstream/service-engines/{}': 'get delete',
  '/v2/slipstream/service-engines/{}/enable': 'post',
  '/v2/slipstream/service-engines/{}/disable': 'post',
  '/v2/slipstream/service-engines/{}/migrate': 'post',
  '/v2/slipstream/service-engines/{}/switchover': 'post',
  '/v2/slipstream/service-engines/{}/reboot': 'post',
  '/v2/slipstream/placements': 'get',
  '/v2/slipstream/placements/{}': 'get',
  '/v2/slipstream/placement-plans/{}': 'get',
  '/v2/slipstream/loadbalancers/{}/scaleout': 'post',
  '/v2/slipstream/loadbalancers/{}/scalein': 'post',
  '/v2/slipstream/loadbalancers/{}/migrate': 'post',
  '/v2/slipstream/loadbalancers/{}/switchover': 'post',
  '/v2/slipstream/loadbalancers/{}/flavor': 'post',
  '/v2/slipstream/loadbalancers/{}/trace': 'get',
  '/v2/slipstream/loadbalancers/{}/captures': 'get post',
  '/v2/slipstream/captures/{}': 'get delete',
  '/v2/slipstream/captures/{}/data': 'get',
  '/v2/slipstream/events': 'get',
  '/v2/slipstream/events/{}': 'get',
};

it('has the operator API below a path of its own, and beyond that the document alone', () => {
  const documented: Record<string, string> = {};
  for (const { path, method } of operations) {
    const bare = path.replace(/\{\w+\}/g, '{}');
    if (bare in OCTAVIA) continue;
    documented[bare] = documented[bare] ? `${documented[bare]} ${method}` : method;
  }

  expect(documented).toEqual({ ...OPERATORS, '/v2/openapi.json': 'get' });
});

it('says in a line of its own what every operation does', () => {
  const nameless = operations.filter(({ summary = '' }) => summary.length < 10 || summary.length > 80);
  const summaries = operations.map(({ summary, method, path }) => (path === '/' ? `${method} ${summary}` : summary));

  expect(nameless).toEqual([]);
  expect(summaries.filter((summary, index) => summaries.indexOf(summary) !== index)).toEqual([]);
});

it('files every operation under one tag that it declares', () => {
  const declared = (tags ?? []).map(({ name }) => name);

  expect(operations.filter((operation) => operation.tags?.length !== 1)).toEqual([]);
  expect(new Set(operations.flatMap((operation) => operation.tags ?? []))).toEqual(new Set(declared));
  expect(new Set(declared).size).toBe(declared.length);
});

it('calls no two operations the same', () => {
  const ids = operations.map(({ operationId }) => operationId);

  expect(new Set(ids).size).toBe(ids.length);
});
