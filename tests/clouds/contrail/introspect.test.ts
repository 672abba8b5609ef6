import { createIntrospector } from '../../../driver/clouds/contrail/introspect/introspector';
import { type IntrospectServer, type Pages, serveIntrospect, struct } from '../../fabric/support/introspect';

const servers: IntrospectServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serving(pages: Pages) {
  const server = await serveIntrospect(pages);
  servers.push(server);
  const introspector = createIntrospector({ timeout: 5_000, controlPort: 1, agentPort: 1, ssl: false });
  return { introspector, address: server.address };
}

const path = (nextHop: string, label: number) =>
  struct('ShowRoutePath', { protocol: 'XMPP', local_preference: 200, source: nextHop, next_hop: nextHop, label });

it('reads the paths a control-node has for a prefix', async () => {
  const seen: string[] = [];
  const { introspector, address } = await serving({
    ShowRouteReq: (query) => {
      seen.push(`${query.get('routing_table')} ${query.get('prefix')}`);
      const paths = [path('10.0.0.1', 58), path('10.0.0.2', 65)];
      const routes = [struct('ShowRoute', { prefix: '10.10.0.60/32', paths })];
      return struct('ShowRouteResp', { tables: [struct('ShowRouteTable', { prefixes: 1, routes })] });
    },
  });

  const found = await introspector.controlRoute(address, { instance: 'd:p:front:front', prefix: '10.10.0.60/32' });

  expect(seen).toEqual(['d:p:front:front.inet.0 10.10.0.60/32']);
  expect(found.paths.map(({ nextHop, label, localPreference }) => [nextHop, label, localPreference])).toEqual([
    ['10.0.0.1', 58, 200],
    ['10.0.0.2', 65, 200],
  ]);
});

it('reads a single path, and none', async () => {
  const { introspector, address } = await serving({
    ShowRouteReq: (query) => {
      const prefix = query.get('prefix') ?? '';
      const routes = prefix.startsWith('10.') ? [struct('ShowRoute', { prefix, paths: [path('10.0.0.1', 58)] })] : [];
      return struct('ShowRouteResp', { tables: [struct('ShowRouteTable', { routes })] });
    },
  });
  const of = (prefix: string) => introspector.controlRoute(address, { instance: 'i', prefix });

  expect((await of('10.1.1.1/32')).paths).toHaveLength(1);
  expect((await of('192.0.2.1/32')).paths).toEqual([]);
});

it('reads an interface with its pairs and floating IPs', async () => {
  const { introspector, address } = await serving({
    ItfReq: (query) =>
      struct('__ItfResp_list', {
        responses: [
          struct('ItfResp', {
            itf_list: [
              struct('ItfSandeshData', {
                ...{ name: 'tap5630b950-0f', uuid: query.get('uuid') ?? '', active: 'Active', label: 58 },
                ...{ ip_addr: '10.10.0.5', health_check_active: 'Inactive' },
                allowed_address_pair_list: [struct('StaticRouteSandesh', { ip_addr: '10.10.0.60', prefix: 32 })],
                fip_list: [
                  struct('FloatingIpSandeshList', { ip_addr: '198.51.100.3', fixed_ip: '10.10.0.60', installed: 'Y' }),
                ],
              }),
            ],
          }),
        ],
      }),
  });

  expect(await introspector.vRouterInterface(address, 'port-1')).toEqual({
    ...{ portId: 'port-1', device: 'tap5630b950-0f', active: true, healthCheckActive: false, label: 58 },
    ...{ address: '10.10.0.5', pairs: ['10.10.0.60/32'] },
    floatingIps: [{ address: '198.51.100.3', fixed: '10.10.0.60', installed: true }],
  });
});

it('finds the composite next hop of a route by the index of its VRF', async () => {
  const member = (type: string, where: object, label: number) => struct('McastData', { type, ...where, label });
  const { introspector, address } = await serving({
    VrfListReq: () => struct('VrfListResp', { vrf_list: [struct('VrfSandeshData', { name: 'i', ucindex: 7 })] }),
    Inet4UcRouteReq: (query) => {
      expect(query.get('vrf_index')).toBe('7');
      const members = [member('Interface', { itf: 'tap1' }, 58), member('Tunnel', { dip: '10.0.0.2' }, 65)];
      const nh = [struct('NhSandeshData', { type: 'Composite', nh_index: 76, mc_list: members })];
      const paths = [struct('PathSandeshData', { nh, label: 64, peer: 'Ecmp' })];
      const routes = [struct('RouteUcSandeshData', { src_ip: '10.10.0.60', src_plen: 32, path_list: paths })];
      return struct('Inet4UcRouteResp', { route_list: routes });
    },
  });

  const found = await introspector.vRouterRoute(address, { instance: 'i', prefix: '10.10.0.60/32' });

  expect(found?.nextHop).toMatchObject({ kind: 'Composite', index: 76, label: 64 });
  expect(found?.nextHop.members.map(({ target, label }) => [target, label])).toEqual([
    ['tap1', 58],
    ['10.0.0.2', 65],
  ]);
});

it('tells paths that lead somebody from those whose next hop is to be resolved', async () => {
  const { introspector, address } = await serving({
    ShowRouteReq: () => {
      const announced = struct('ShowRoutePath', { next_hop: '10.10.0.11', flags: ['ResolveNexthop'] });
      const stale = struct('ShowRoutePath', { next_hop: '10.0.0.2', flags: ['Stale', 'ResolvedPath'] });
      const routes = [
        struct('ShowRoute', { prefix: '10.10.0.60/32', paths: [announced, stale, path('10.0.0.1', 58)] }),
      ];
      return struct('ShowRouteResp', { tables: [struct('ShowRouteTable', { routes })] });
    },
  });

  const { paths } = await introspector.controlRoute(address, { instance: 'i', prefix: '10.10.0.60/32' });

  expect(paths.map(({ usable }) => usable)).toEqual([false, true, true]);
});

it('finds the path of a flow by the flow key of the interface that it came in by', async () => {
  const { introspector, address } = await serving({
    ItfReq: (query) =>
      struct('ItfResp', {
        itf_list: [struct('ItfSandeshData', { uuid: query.get('uuid') ?? '', flow_key_idx: 41 })],
      }),
    FetchFlowRecord: (query) =>
      query.get('nh') === '41' && query.get('src_port') === '40000' && query.get('protocol') === '6'
        ? struct('FlowRecordResp', { record: struct('SandeshFlowData', { ecmp_index: 1 }) })
        : struct('FlowErrorResp', { resp: 'No Flow Record for specified key ' }),
  });
  const ends = { source: '10.10.0.3', destination: '10.10.0.60', destinationPort: 80, protocol: 'tcp' as const };

  expect(await introspector.vRouterFlow(address, 'port', { ...ends, sourcePort: 40_000 })).toEqual({ index: 1 });
  expect(await introspector.vRouterFlow(address, 'port', { ...ends, sourcePort: 40_001 })).toBeUndefined();
});

it('tells that nobody answers', async () => {
  const introspector = createIntrospector({ timeout: 1_000, controlPort: 1, agentPort: 1, ssl: false });

  await expect(introspector.controlPeers('127.0.0.1:1', 'x')).rejects.toThrow(/ECONNREFUSED/);
});
