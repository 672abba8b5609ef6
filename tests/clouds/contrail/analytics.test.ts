import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAnalytics } from '../../../driver/clouds/contrail/analytics/analytics';
import { createTransformer } from '../../../driver/clouds/contrail/analytics/transformer';
import { type IntrospectServer, serveIntrospect, struct } from '../../fabric/support/introspect';
import { freePorts } from '../../support/freePorts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

type Answers = (path: string, headers: IncomingHttpHeaders) => unknown;

/** An analytics API: what is undefined is 404, a number is a status, a text comes as it is. */
async function serving(answers: Answers): Promise<string> {
  const server = createServer((request, response) => {
    const found = answers(decodeURIComponent(request.url ?? ''), request.headers);
    if (found === null) return;
    response.statusCode = found === undefined ? 404 : typeof found === 'number' ? found : 200;
    response.end(typeof found === 'string' ? found : JSON.stringify(found));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const PORT = { id: 'p1', fqName: 'default-domain:service:slipstream-vnic-1' };

describe('analytics', () => {
  it('tells of a port as its agent has reported it', async () => {
    const paths: string[] = [];
    const url = await serving((path) => {
      paths.push(path);
      return {
        UveVMInterfaceAgent: {
          ...{ active: true, ip_address: '10.10.0.11', mac_address: '02:00:00:00:00:01', vm_uuid: 'server-1' },
          floating_ips: [{ ip_address: '198.51.100.3', virtual_network: 'd:p:outside' }],
          is_health_check_active: false,
          health_check_instance_list: [{ name: 'd:p:slipstream-1', uuid: 'c', status: 'InActive', is_running: true }],
          unheardOf: [1],
        },
      };
    });

    const found = await createAnalytics({ servers: [url], timeout: 5_000 }).port(PORT);

    expect(paths).toEqual([`/analytics/uves/virtual-machine-interface/${PORT.fqName}?flat&cfilt=UveVMInterfaceAgent`]);
    expect(found).toEqual({
      ...{ portId: 'p1', active: true, address: '10.10.0.11', macAddress: '02:00:00:00:00:01', serverId: 'server-1' },
      ...{ floatingIps: ['198.51.100.3'], healthCheckActive: false },
      healthChecks: [{ name: 'slipstream-1', active: false, running: true }],
    });
  });

  it('says that nobody has reported a port, whichever way it says so', async () => {
    for (const answer of [{}, undefined]) {
      const url = await serving(() => answer);
      expect(await createAnalytics({ servers: [url], timeout: 5_000 }).port(PORT)).toBeUndefined();
    }
  });

  it('finds the sessions of routers whatever their keys are made of, and none without asking', async () => {
    const key = 'default-domain:default-project:ip-fabric:__default__:control-1:d:p:front:front:slipstream-vnic-1';
    const paths: string[] = [];
    const url = await serving((path) => {
      paths.push(path);
      if (path === '/analytics/uves/bgp-peers')
        return [
          { name: key, href: '' },
          { name: 'other:of:others', href: '' },
        ];
      return {
        BgpPeerInfoData: {
          ...{
            peer_address: '10.10.0.11',
            peer_asn: 65100,
            state_info: { state: 'Active', last_state: 'Established' },
          },
          flap_info: { flap_count: 2, flap_time: 1_767_225_600_000_000 },
          peer_stats_info: { rx_route_stats: { total_path_count: 0 } },
        },
      };
    });
    const analytics = createAnalytics({ servers: [url], timeout: 5_000 });

    expect(await analytics.peers([])).toEqual([]);
    expect(paths).toEqual([]);
    expect(await analytics.peers(['slipstream-vnic-1', 'slipstream-vnic-2'])).toEqual([
      {
        ...{ controlNode: 'control-1', router: 'slipstream-vnic-1', address: '10.10.0.11', peerAs: 65_100 },
        ...{ state: 'Active', lastState: 'Established', flaps: 2, lastFlap: '2026-01-01T00:00:00.000Z', paths: 0 },
      },
    ]);
    expect(paths).toHaveLength(2);
  });

  it('asks the next server when one is dead, with the token of the service', async () => {
    const [dead = 0] = await freePorts(1);
    let token: unknown;
    const url = await serving((_path, headers) => {
      token = headers['x-auth-token'];
      return {};
    });
    const servers = [`http://127.0.0.1:${dead}`, url];

    await createAnalytics({ servers, timeout: 5_000, session: { token: async () => 'secret' } }).port(PORT);

    expect(token).toBe('secret');
  });

  it.each<[string, unknown, RegExp]>([
    ['an answer that is no JSON', 'oh no', /JSON/],
    ['a refusal', 401, /HTTP 401/],
    ['an answer that is too long', JSON.stringify('x'.repeat(5_000_000)), /bytes/],
    ['no answer', null, /timeout|abort/i],
  ])('throws for %s', async (_name, answer, error) => {
    const url = await serving(() => answer);

    await expect(createAnalytics({ servers: [url], timeout: 1_000 }).port(PORT)).rejects.toThrow(error);
  });
});

describe('a schema transformer', () => {
  const serve = async (ids: readonly string[]): Promise<IntrospectServer> => {
    const server = await serveIntrospect({
      StObjectReq: (query) => {
        const own = ids.filter((id) => id === query.get('object_id_or_fq_name'));
        const type = query.get('object_type') ?? '';
        const objects = own.map((id) =>
          struct('StObject', { object_type: type, object_uuid: id, object_fq_name: 'd:p:b' }),
        );
        return struct('StObjectListResp', { objects });
      },
    });
    closers.push(() => server.close());
    return server;
  };

  it('says which services of BGP it knows', async () => {
    const { address } = await serve(['known']);
    const transformer = createTransformer(`http://${address}`, { timeout: 5_000 });

    expect(await transformer.knowsBgpService('known')).toBe(true);
    expect(await transformer.knowsBgpService('unknown')).toBe(false);
  });

  it('throws when it has no such page', async () => {
    const server = await serveIntrospect({});
    closers.push(() => server.close());

    await expect(
      createTransformer(`http://${server.address}`, { timeout: 5_000 }).knowsBgpService('x'),
    ).rejects.toThrow('HTTP 404');
  });
});
