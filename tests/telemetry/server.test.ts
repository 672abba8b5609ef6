import { Counter } from 'prom-client';
import type { RunningProcess } from '../../driver/domain/process';
import { createRegistry } from '../../driver/telemetry/metrics';
import { serveTelemetry } from '../../driver/telemetry/server';

const registry = createRegistry('worker');
let trouble: string | undefined;
let server: RunningProcess;

beforeAll(async () => {
  server = await serveTelemetry({ host: '127.0.0.1', port: 0, registry, check: async () => trouble });
});
afterAll(() => server.close());
afterEach(() => {
  trouble = undefined;
});

it('shows the metrics of its own registry, with the name of the process', async () => {
  new Counter({ name: 'slipstream_test_total', help: 'A test.', registers: [registry] }).inc(3);

  const text = await (await fetch(`${server.url}/metrics`)).text();

  expect(text).toContain('slipstream_test_total{process="worker"} 3');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
});

it('is healthy until its check says what is wrong', async () => {
  const healthy = await fetch(`${server.url}/healthcheck`);
  expect([healthy.status, await healthy.text()]).toEqual([200, 'OK']);

  trouble = 'the database is away';
  const ill = await fetch(`${server.url}/healthcheck`);
  expect([ill.status, await ill.text()]).toEqual([503, 'the database is away']);
});

it('knows no other path', async () => {
  expect((await fetch(`${server.url}/`)).status).toBe(404);
});

it('refuses a port that is taken', async () => {
  const port = Number(new URL(server.url ?? '').port);
  const second = serveTelemetry({ host: '127.0.0.1', port, registry, check: async () => undefined });
  await expect(second).rejects.toThrow('EADDRINUSE');
});
