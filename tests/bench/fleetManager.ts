import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { createMemoryBus } from '../../driver/bus/memory';
import { ENGINES_TOPIC } from '../../driver/bus/port';
import { configFromText } from '../../driver/config/config';
import { connectDatabase } from '../../driver/db/connect';
import { runHealthManager } from '../../driver/health/main';
import { openOwnAuthority } from '../../driver/pki/files';

/** A health-manager as a process of its own: `fleetManager.ts <database> <directory of the CA> <port>`. Says what it costs when asked. */
async function main(): Promise<void> {
  const [url = '', directory = mkdtempSync(join(tmpdir(), 'ss-ca-')), port = '0'] = process.argv.slice(2);
  const log = pino({ level: process.env['BENCH_LOG'] ?? 'silent' });
  const db = await connectDatabase(url);
  const bus = createMemoryBus({ log });
  const authority = await openOwnAuthority(directory);
  // All agents of the bench have one address.
  const config = configFromText(`[health_manager]\nbind_port = ${port}\nmax_handshakes_per_address = 64\n`);
  const manager = await runHealthManager({ config, db, bus, log, authority });
  process.on('message', ({ push, id }: { push?: { engineId: string; loadBalancerId: string }; id: number }) => {
    const at = performance.timeOrigin + performance.now();
    if (!push) {
      process.send?.({ id, cpu: process.cpuUsage(), memory: process.memoryUsage().rss, at });
      return;
    }
    const args = { engine_id: push.engineId, load_balancer_id: push.loadBalancerId };
    void bus.broadcast(ENGINES_TOPIC, { method: 'placements', args }).then(() => process.send?.({ id, at }));
  });
  process.once('disconnect', () => process.exit());
  process.send?.({ url: manager.url, fingerprint: authority.fingerprint });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
