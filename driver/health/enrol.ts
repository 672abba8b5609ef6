import { type Db, inTransaction } from '../db/connect';
import { dropOlderCertificates } from '../db/engineCertificates';
import { takeConnection } from '../db/engineConnections';
import { findEngine } from '../db/engines';
import { recordEvents } from '../db/events';
import { type Engine, statusAfterHello, tokenMatches } from '../domain/engine';
import type { Sealer } from '../domain/sealing';
import { type Hello, PROTOCOL_VERSIONS } from '../protocol/messages';
import type { ProvenEngine } from './port/callers';

/** How a hello is answered. */
export type Enrolment =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'enrolled';
      readonly engine: Engine;
      /** Number of the new connection. */
      readonly epoch: number;
      readonly version: number;
      /** It was not READY before. */
      readonly cameUp: boolean;
    };

const ATTEMPTS = 5;

export interface Greeting {
  readonly hello: Hello;
  /** Who it has proved to be; null: its token has to do. */
  readonly proven: ProvenEngine | null;
  /** What tokens are sealed with; those of engines that are older than it are not. */
  readonly sealer?: Pick<Sealer, 'digest'> | undefined;
}

/**
 * Judges a hello and, if it is good, makes this health-manager the holder of the engine's connection. An engine with a
 * certificate is who that says, whatever its hello does.
 */
export async function enrolEngine(
  db: Db,
  { hello, proven, sealer }: Greeting,
  connectedTo: string,
): Promise<Enrolment> {
  const version = Math.max(...hello.versions.filter((it) => (PROTOCOL_VERSIONS as readonly number[]).includes(it)));
  if (!Number.isFinite(version)) {
    return refused(
      `no common protocol version: ${PROTOCOL_VERSIONS.join(', ')} here, ${hello.versions.join(', ')} there`,
    );
  }
  if (proven && proven.engineId !== hello.engineId) return refused('its certificate is that of another engine');
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const engine = await findEngine(db, hello.engineId);
    // One answer for both, so that ids cannot be tried out.
    if (!engine || !(proven || isToken(hello, engine, sealer))) return refused('unknown engine, or not its token');
    const epoch = engine.connectionEpoch + 1;
    const to = statusAfterHello(engine.status);
    const cameUp = engine.status !== to;
    const taken = await inTransaction(db, async (trx) => {
      const status = { from: engine.status, to };
      if (!(await takeConnection(trx, { engineId: engine.id, epoch }, { connectedTo, status }))) return false;
      if (proven) await dropOlderCertificates(trx, engine.id, proven.serial);
      if (cameUp) await recordEvents(trx, [upEvent(engine, hello)], { engineId: engine.id });
      return true;
    });
    if (taken) return { kind: 'enrolled', engine, epoch, version, cameUp };
  }
  return refused('too many connections of this engine at a time');
}

function isToken({ token }: Hello, { id: engineId, tokenHash }: Engine, sealer: Greeting['sealer']): boolean {
  return tokenMatches(token, tokenHash, { engineId, sealer }) || tokenMatches(token, tokenHash);
}

function refused(reason: string): Enrolment {
  return { kind: 'refused', reason };
}

function upEvent(engine: Engine, { agentVersion, daemons }: Hello) {
  const found = Object.entries(daemons).map(([name, version]) => `${name} ${version}`);
  return {
    name: 'ENGINE_UP',
    severity: 'info' as const,
    message: `service engine ${engine.name} is up, was ${engine.status}: agent ${[agentVersion, ...found].join(', ')}`,
  };
}
