import type { Schemas } from '../../../api/openapi/schemas';
import { waitUntil } from '../../support/wait';
import { ask } from '../clients/web';
import type { Row } from '../row';
import type { Served } from '../stage';

type Method = NonNullable<Schemas['HealthMonitorCreate']['http_method']>;
const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS', 'PATCH', 'CONNECT'];

const comesTo = (served: Served) => (wanted: number) =>
  waitUntil(`the VIP answers ${wanted}`, 15_000, async () => (await ask(served)).status === wanted);

/** What an HTTP monitor asks and which answers it takes. */
export const monitorRequestRows: readonly Row[] = [
  {
    proves: [
      'POST healthmonitor.http_method',
      'PUT healthmonitor.http_method',
      ...METHODS.map((method) => `healthmonitor.http_method=${method}` as const),
    ],
    title: 'checks use the method that is said',
    async run(stage) {
      // A server that takes any bytes: those of HTTP want another form of CONNECT.
      const one = await stage.stream('one');
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { url_path: '/check', http_method: 'OPTIONS' },
      });
      const arrives = (method: string) =>
        waitUntil(`a check by ${method} arrives`, 10_000, () => {
          return one.arrivals.some(({ text }) => text.startsWith(`${method} /check HTTP/1.`));
        });
      await arrives('OPTIONS');
      for (const http_method of METHODS) {
        await stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { http_method } });
        await arrives(http_method);
      }
    },
    timeout: 60_000,
  },
  {
    proves: ['POST healthmonitor.url_path', 'PUT healthmonitor.url_path'],
    title: 'checks ask for the path that is said',
    async run(stage) {
      const one = await stage.web('one', { statuses: new Map([['/ill', 500]]) });
      const served = await stage.serve({ members: [{ backend: one }], monitor: { url_path: '/ill' } });
      await comesTo(served)(503);
      await stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { url_path: '/well' } });
      await comesTo(served)(200);
      expect(one.arrivals.map(({ url }) => url)).toEqual(expect.arrayContaining(['/ill', '/well']));
    },
  },
  {
    proves: ['POST healthmonitor.expected_codes', 'PUT healthmonitor.expected_codes'],
    title: 'only expected codes pass: one, several, or a range of them',
    async run(stage) {
      const statuses = new Map([['/check', 418]]);
      const one = await stage.web('one', { statuses });
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { url_path: '/check', expected_codes: '418' },
      });
      await comesTo(served)(200);
      const expectCodes = (expected_codes: string) =>
        stage.update(served, `healthmonitors/${served.monitorId}`, { healthmonitor: { expected_codes } });
      await expectCodes('200,204');
      await comesTo(served)(503);
      statuses.set('/check', 204);
      await comesTo(served)(200);
      await expectCodes('300-399');
      await comesTo(served)(503);
      statuses.set('/check', 307);
      await comesTo(served)(200);
    },
    timeout: 40_000,
  },
  {
    proves: [
      'POST healthmonitor.http_version',
      'PUT healthmonitor.http_version',
      'healthmonitor.http_version=1',
      'healthmonitor.http_version=1.1',
      'POST healthmonitor.domain_name',
      'PUT healthmonitor.domain_name',
    ],
    title: 'checks speak the version of HTTP that is said, and name the host',
    async run(stage) {
      const one = await stage.web('one');
      const served = await stage.serve({
        members: [{ backend: one }],
        monitor: { url_path: '/check', http_version: 1.1, domain_name: 'first.example' },
      });
      const checkedWith = (httpVersion: string, host: string | undefined) =>
        waitUntil(`a check by ${httpVersion} for ${host}`, 10_000, () => {
          const last = one.arrivals.at(-1);
          return last?.httpVersion === httpVersion && last.headers['host'] === host;
        });
      await checkedWith('1.1', 'first.example');
      const path = `healthmonitors/${served.monitorId}`;
      await stage.update(served, path, { healthmonitor: { domain_name: 'second.example' } });
      await checkedWith('1.1', 'second.example');
      const { poolId, loadBalancer } = served;
      await stage.remove({ loadBalancer }, path);
      const check = { type: 'HTTP', delay: 1, timeout: 1, max_retries: 1, url_path: '/check', http_version: 1.0 };
      const { id } = await stage.create('healthmonitors', 'healthmonitor', { pool_id: poolId, ...check });
      await stage.active(loadBalancer);
      await checkedWith('1.0', undefined);
      await stage.update(served, `healthmonitors/${id}`, {
        healthmonitor: { http_version: 1.1, domain_name: 'third.example' },
      });
      await checkedWith('1.1', 'third.example');
    },
    timeout: 30_000,
  },
];
