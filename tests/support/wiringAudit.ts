import pino from 'pino';
import { createWiringAudit, type WiringAuditSettings } from '../../driver/drift/audit';
import { type ContrailLab, type ContrailLabOptions, type NewlyMade, startContrailLab } from './contrailLab';
import { type VncHand, vncHand } from './vncHand';

/** A Contrail with two engines, whose wiring is audited when told. */
export interface AuditStage extends VncHand {
  readonly lab: ContrailLab;
  /** Its engines, with their ports in the VIP network. */
  readonly engines: readonly { readonly id: string; readonly portId: string }[];
  /** One audit, with the looks that follow it. */
  audit(): Promise<void>;
  /** A load balancer that is served by both engines. */
  served(given?: Parameters<ContrailLab['createLoadBalancer']>[0]): Promise<NewlyMade>;
  /** What was told, oldest first: `NAME: message`. */
  told(): Promise<string[]>;
}

export async function openAuditStage(
  options: ContrailLabOptions = {},
  given: Partial<WiringAuditSettings> = {},
  /** Without a worker the test has its own. */
  { works = true }: { readonly works?: boolean } = {},
): Promise<AuditStage> {
  const group = { maxEngines: 2, minScaleout: 2, hostRedundancy: false };
  const lab = await startContrailLab({ ...options, group: { ...group, ...options.group } });
  const ids = [lab.engineId, await lab.newEngine()];
  await lab.db('service_engine').update({ name: lab.db.raw("'engine-' || substr(id, 1, 4)") });
  // What is seen is not believed: the audit hints right after a run.
  if (works) await lab.start({ contrail: { ...lab.wiring, seenWiring: new Map(), believed: 0 } });
  const settings: WiringAuditSettings = {
    ...{ ownerTag: 'slipstream', grace: 0, follow: 8, plugs: false },
    ...{ healthCheck: lab.wiring.settings.healthCheck, ...given },
  };
  const audit = createWiringAudit({
    ...{ db: lab.db, bus: lab.bus, driver: lab.driver, settings, now: () => new Date() },
    log: pino({ level: process.env['TEST_LOG'] ?? 'silent' }),
  });
  const engines: { id: string; portId: string }[] = [];
  return {
    lab,
    engines,
    audit,
    async served(wish) {
      const made = await lab.createLoadBalancer(wish);
      await lab.hint(made.id);
      await lab.reaches(made.id, 'ACTIVE');
      if (engines.length === 0) for (const id of ids) engines.push({ id, portId: await lab.portOf(id) });
      return made;
    },
    async told() {
      const rows: { name: string; message: string }[] = await lab
        .db('event')
        .where('name', 'like', 'WIRING_%')
        .orderBy('at')
        .orderBy('id')
        .select('name', 'message');
      return rows.map(({ name, message }) => `${name}: ${message}`);
    },
    ...vncHand(lab.contrail.url),
  };
}
