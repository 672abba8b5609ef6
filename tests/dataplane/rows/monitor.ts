import { issue } from '../../support/certificates/issue';
import { waitUntil } from '../../support/wait';
import { ask, spread } from '../clients/web';
import { inTls } from '../keys';
import type { Row } from '../row';
import type { Served, Stage } from '../stage';

const status = (served: Served) => async (wanted: number) =>
  waitUntil(`the VIP answers ${wanted}`, 15_000, async () => (await ask(served)).status === wanted);

/** The operating status of the first member. */
async function memberStatus(stage: Stage, { poolId, memberIds }: Served): Promise<string | undefined> {
  return (await stage.api.show(`/pools/${poolId}/members/${memberIds[0]}`, 'member'))['operating_status'];
}

/** Which checks are made, when, and what they decide. */
export const monitorRows: readonly Row[] = [
  {
    proves: ['POST healthmonitor.type', 'healthmonitor.type=HTTP', 'POST healthmonitor.pool_id'],
    title: 'an HTTP monitor takes members out that answer badly, of its own pool only',
    async run(stage) {
      const statuses = new Map([['/', 500]]);
      const [one, two] = [await stage.web('one', { statuses }), await stage.web('two')];
      const served = await stage.serve({ members: [{ backend: one }, { backend: two }], monitor: {} });
      const other = await stage.serve({ members: [{ backend: one }] });
      await waitUntil('only two serves', 10_000, async () => (await spread(served, 4))['two'] === 4);
      expect((await ask(other)).arrival().backend).toBe('one');
      statuses.set('/', 200);
      await waitUntil('both serve', 10_000, async () => (await spread(served, 4))['one'] === 2);
    },
  },
  {
    proves: ['healthmonitor.type=HTTPS'],
    title: 'an HTTPS monitor asks over TLS',
    async run(stage) {
      const statuses = new Map<string, number>();
      const tls = inTls(await issue({ cn: 'member.example' }));
      const one = await stage.web('one', { tls, statuses });
      const served = await stage.serve({
        listener: { protocol: 'HTTPS' },
        members: [{ backend: one }],
        monitor: { type: 'HTTPS', url_path: '/check', domain_name: 'member.example', http_version: 1.1 },
      });
      await waitUntil('the member is up', 10_000, async () => (await memberStatus(stage, served)) === 'ONLINE');
      expect(one.arrivals.at(-1)).toMatchObject({ url: '/check', tls: { serverName: 'member.example' } });
      expect((await ask({ ...served, tls: {} })).status).toBe(200);
      statuses.set('/check', 500);
      await waitUntil('the member is down', 10_000, async () => (await memberStatus(stage, served)) === 'ERROR');
      await expect(ask({ ...served, tls: {} })).rejects.toThrow();
    },
  },
  {
    proves: ['healthmonitor.type=TCP'],
    title: 'a TCP monitor asks only for a connection',
    async run(stage) {
      const one = await stage.web('one', { statuses: new Map([['/', 200]]) });
      const served = await stage.serve({ members: [{ backend: one }], monitor: { type: 'TCP' } });
      await waitUntil('the member is up', 10_000, async () => (await memberStatus(stage, served)) === 'ONLINE');
      expect(one.arrivals).toEqual([]);
      await one.stop();
      await waitUntil('the member is down', 10_000, async () => (await memberStatus(stage, served)) === 'ERROR');
      expect((await ask(served)).status).toBe(503);
      await one.restart();
      await status(served)(200);
    },
  },
  {
    proves: ['healthmonitor.type=TLS-HELLO'],
    title: 'a TLS-HELLO monitor wants TLS at the other end, and no request',
    async run(stage) {
      const one = await stage.web('one', { tls: inTls(await issue({ cn: 'member.example' })) });
      const two = await stage.web('two');
      const served = await stage.serve({
        listener: { protocol: 'HTTPS' },
        members: [{ backend: two }, { backend: one }],
        monitor: { type: 'TLS-HELLO' },
      });
      await waitUntil(
        'the one without TLS is down',
        10_000,
        async () => (await memberStatus(stage, served)) === 'ERROR',
      );
      for (let turn = 0; turn < 4; turn += 1) {
        expect((await ask({ ...served, tls: {} })).arrival().backend).toBe('one');
      }
      expect(two.arrivals).toEqual([]);
    },
  },
  {
    proves: ['healthmonitor.type=PING'],
    title: 'a PING monitor asks the host, not the port',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({
        // Of a class that no network routes: no host is there.
        members: [{ backend: one, monitor_address: '240.0.0.1' }],
        monitor: { type: 'PING' },
      });
      await waitUntil('the member is down', 15_000, async () => (await memberStatus(stage, served)) === 'ERROR');
      expect((await ask(served)).status).toBe(503);
      const path = `pools/${served.poolId}/members/${served.memberIds[0]}`;
      await stage.update(served, path, { member: { monitor_address: null } });
      await status(served)(200);
      expect(one.connections()).toBe(1);
    },
    timeout: 40_000,
  },
  {
    proves: ['POST healthmonitor.delay', 'PUT healthmonitor.delay'],
    title: 'checks are made a delay apart',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { delay: 2, timeout: 1, url_path: '/check' },
      });
      const gap = async () => {
        const from = one.arrivals.length + 1;
        await waitUntil('there are three more checks', 15_000, () => one.arrivals.length >= from + 3);
        const [first, , third] = one.arrivals.slice(-3).map(({ at }) => at);
        return ((third ?? 0) - (first ?? 0)) / 2;
      };
      const slow = await gap();
      expect(slow).toBeGreaterThan(1500);
      expect(slow).toBeLessThan(2500);
      await stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { delay: 1 } });
      const fast = await gap();
      expect(fast).toBeGreaterThan(700);
      expect(fast).toBeLessThan(1400);
    },
    timeout: 40_000,
  },
  {
    proves: ['POST healthmonitor.timeout', 'PUT healthmonitor.timeout'],
    title: 'a check that takes longer than its timeout has failed',
    async run(stage) {
      const waits = new Map([['/check', 1800]]);
      const one = await stage.web('one', { waits });
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { delay: 1, timeout: 1, url_path: '/check' },
      });
      await status(served)(503);
      await stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { timeout: 4 } });
      await status(served)(200);
    },
    timeout: 40_000,
  },
  {
    proves: ['POST healthmonitor.max_retries_down', 'PUT healthmonitor.max_retries_down'],
    title: 'as many failed checks as are said take a member out',
    async run(stage) {
      const statuses = new Map<string, number>();
      const one = await stage.web('one', { statuses });
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { url_path: '/check', max_retries_down: 3 },
      });
      const fail = async () => {
        await status(served)(200);
        const from = one.arrivals.length;
        statuses.set('/check', 500);
        await status(served)(503);
        const failed = one.arrivals.slice(from).filter(({ url }) => url === '/check').length;
        statuses.clear();
        return failed;
      };
      const three = await fail();
      expect(three).toBeGreaterThanOrEqual(3);
      expect(three).toBeLessThanOrEqual(4);
      await stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { max_retries_down: 1 } });
      expect(await fail()).toBeLessThanOrEqual(2);
    },
    timeout: 40_000,
  },
  {
    proves: ['POST healthmonitor.max_retries', 'PUT healthmonitor.max_retries'],
    title: 'as many passed checks as are said bring a member back',
    async run(stage) {
      const statuses = new Map<string, number>();
      const one = await stage.web('one', { statuses });
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { url_path: '/check', max_retries: 3 },
      });
      const recover = async () => {
        statuses.set('/check', 500);
        await status(served)(503);
        const from = one.arrivals.length;
        statuses.clear();
        await status(served)(200);
        return one.arrivals.slice(from).filter(({ url }) => url === '/check').length;
      };
      await status(served)(200);
      const three = await recover();
      expect(three).toBeGreaterThanOrEqual(3);
      expect(three).toBeLessThanOrEqual(4);
      await stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { max_retries: 1 } });
      expect(await recover()).toBeLessThanOrEqual(2);
    },
    timeout: 40_000,
  },
  {
    proves: ['POST healthmonitor.admin_state_up', 'PUT healthmonitor.admin_state_up'],
    title: 'a disabled monitor checks nobody, until it is enabled',
    async run(stage) {
      const one = await stage.web('one', { statuses: new Map([['/check', 500]]) });
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { url_path: '/check', admin_state_up: false },
      });
      expect((await ask(served)).status).toBe(200);
      expect(one.arrivals.some(({ url }) => url === '/check')).toBe(false);
      const path = `healthmonitors/${served.monitorId}`;
      await stage.update(served, path, { healthmonitor: { admin_state_up: true } });
      await status(served)(503);
      await stage.update(served, path, { healthmonitor: { admin_state_up: false } });
      await status(served)(200);
    },
  },
  {
    proves: ['DELETE healthmonitor'],
    title: 'without its monitor a pool takes all members for well',
    async run(stage) {
      const one = await stage.web('one', { statuses: new Map([['/check', 500]]) });
      const served = await stage.serve({ members: [{ backend: one }], monitor: { url_path: '/check' } });
      await status(served)(503);
      await stage.remove(served, `healthmonitors/${served.monitorId}`);
      await status(served)(200);
    },
  },
];
