import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../../../../devstack/lab/hosts/shell';
import { waitUntil } from '../../../support/wait';
import { PATIENCE } from '../stage';
import { type Scene, traced } from './case';

/** Connections of the client in the VIP's network, each from a port that is known before. */
export interface Flows {
  /** By source port: the engine that the trace names; of as many ports as it takes to have several engines named. */
  foretell(): Promise<Map<number, string>>;
  /** By source port: the engine that the connection came by. */
  send(ports: readonly number[]): Promise<Record<number, string>>;
}

const FIRST_PORT = 21_000;
const [LEAST, MOST] = [6, 60];
const Sent = z.record(z.string(), z.string());

export function openFlows({ stage, balanced, engines }: Scene): Flows {
  const { client, site } = stage;
  const source = client.addresses.find((one) => !one.includes(':')) ?? '';
  return {
    async foretell() {
      const found = new Map<number, string>();
      for (let port = FIRST_PORT; port < FIRST_PORT + MOST; port += 1) {
        await waitUntil(`an engine is foretold for port ${port}`, PATIENCE, async () => {
          const { lines } = await traced(stage, balanced, `?flow=${source}:${port}`);
          const text = lines.find(({ text: one }) => one.startsWith(`flow from ${source}:${port} `))?.text ?? '';
          const [, engine] = /takes engine (\S+) /.exec(text) ?? [];
          if (engine !== undefined) found.set(port, engine);
          return engine !== undefined;
        });
        if (found.size >= LEAST && new Set(found.values()).size > 1) break;
      }
      return found;
    },
    async send(ports) {
      const rows: { name: string; port_id: string }[] = await site
        .db('se_vnic as v')
        .join('service_engine as e', 'e.id', 'v.service_engine_id')
        .whereIn(
          'e.id',
          engines.map(({ engineId }) => engineId),
        )
        .whereNotNull('v.port_id')
        .select('e.name', 'v.port_id');
      const nameOf = (address: string) =>
        rows.find((row) => site.cloud.portOf(row.port_id)?.fixedIps.some((one) => one.address === address))?.name;
      const words = [
        `--net=/run/netns/${client.machine}`,
        process.execPath,
        join(__dirname, '../programs/askFrom.cjs'),
      ];
      const printed = await run('nsenter', [...words, `http://${balanced.vip}/`, ...ports.map(String)]);
      const from = Object.entries(Sent.parse(JSON.parse(printed)));
      return Object.fromEntries(from.map(([port, address]) => [port, nameOf(address) ?? address]));
    },
  };
}
