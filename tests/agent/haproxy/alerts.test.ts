import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAlerts } from '../../../driver/agent/haproxy/alerts';
import { layOut } from '../../../driver/agent/haproxy/layout';
import { type Rendered, renderConfig } from '../../../driver/agent/haproxy/render';
import { aListener, aMember, aMonitor, aPool, aSpec } from '../../support/agentSpecs';

const directory = mkdtempSync(join(tmpdir(), 'slipstream-alerts-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What the real haproxy says of a configuration. */
function complaintsOf(rendered: Rendered): string {
  const path = join(directory, 'haproxy.cfg');
  writeFileSync(path, rendered.text);
  try {
    execFileSync('haproxy', ['-c', '-f', path], { stdio: 'pipe', encoding: 'utf8' });
    return '';
  } catch (error) {
    return String(Reflect.get(Object(error), 'stderr'));
  }
}

it("finds the objects behind haproxy's complaints by their lines", () => {
  const spec = aSpec({
    listeners: [aListener(), aListener({ id: 'listener-bad', port: 8081, allowedCidrs: ['not a network'] })],
    pools: [
      aPool({
        members: [aMember(), aMember({ id: 'member-bad', weight: 999 })],
        monitor: aMonitor({ expectedCodes: 'many' }),
      }),
    ],
  });
  const settings = { workerSocket: '/x', peerSocket: '/y', serverStateFile: '/z', maxConnections: 100, threads: 1 };
  const rendered = renderConfig(layOut(spec), settings);
  const { byObject, summary } = readAlerts(complaintsOf(rendered), rendered);

  expect(byObject).toEqual([
    { object: { kind: 'listener', id: 'listener-bad' }, reason: expect.stringContaining('parsing ACL') },
    { object: { kind: 'healthmonitor', id: 'monitor-1' }, reason: expect.stringContaining('list of status codes') },
    { object: { kind: 'member', id: 'member-bad' }, reason: expect.stringContaining('weight') },
  ]);
  expect(summary).not.toContain('Fatal errors');
});
