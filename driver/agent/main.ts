import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { version as agentVersion } from '../../package.json';
import { readFingerprint } from '../domain/fingerprint';
import { type Hello, PROTOCOL_VERSIONS } from '../protocol/messages';
import { type Bgp, createBgp, noBgp } from './bgp/bgp';
import { createBirdFinder, type FindBird } from './bgp/find';
import { createCaptures } from './capture/captures';
import { tapsOf } from './capture/taps';
import { type AgentConfig, checkRunDirectory, logSocket, metricsSocket } from './config';
import { createInspector } from './inspect/inspector';
import { type Link, type LinkDeps, openLink } from './link/controllerLink';
import { createSecureDialer, type Dialer, plainDialer } from './link/dialer';
import { gatewayProbe } from './mastership/gateways';
import { type Masterships, noMasterships, openMasterships } from './mastership/masterships';
import { openMetricsServer } from './metrics/server';
import { createNetworks, type Networks, type NetworksNotices, noNetworks } from './network/networks';
import { createNginxFinder } from './nginx/find';
import { haproxyVersion } from './process/checkConfig';
import { identify, isAlive, ProcessIdentity, signal } from './process/identity';
import { monotonicNow } from './process/monotonic';
import { type Engine, openEngine } from './serve/engine';
import { openLogFiles } from './serve/logFiles';
import { findPing, type Ping } from './serve/pinger';
import { createSlots } from './serve/slots';
import type { ServeDeps } from './serve/unit';
import { watchDisk } from './state/diskWatch';
import { writeAtomically } from './state/files';
import { closeMaterialsHome, openMaterialsHome } from './state/memoryDirectory';
import { placeNapScript } from './state/napScript';
import { agentRecord, prepareDirectories } from './state/specStore';
import { createChecker } from './udp/checker';

export type { AgentConfig } from './config';

/** An agent at work. */
export interface RunningAgent {
  /** `keepServing`: its haproxies stay, for the next agent to take over; else they are ended. */
  stop(options: { keepServing: boolean }): Promise<void>;
}

/** haproxies that are checked, started or reloaded at a time. */
const SLOTS = 4;
/** Milliseconds the controller is left waiting while what was stored is taken over; the rest of it comes after. */
const LONGEST_RECOVERY = 3000;

/**
 * Starts a Service Engine's agent: it takes over what an earlier agent left, serves what is stored, and dials the
 * controller; all of that goes on in the background. Throws if haproxy is missing or a directory cannot be used. An earlier
 * agent of the same state directory that still lives is ended.
 */
export async function runAgent(config: AgentConfig, { log }: { log: Logger }): Promise<RunningAgent> {
  await moveIn(config, log);
  const home = await openMaterialsHome(config);
  if (home.problem !== null) log.warn({ problem: home.problem }, 'no certificates can be served');
  const tools = await findTools(config, log);
  const bootId = randomUUID();

  let link: Link | null = null;
  let engine: Engine | null = null;
  let bgp: Bgp = noBgp;
  let masterships: Masterships = noMasterships;
  const event = (name: string, loadBalancerId: string | null, message: string) => {
    log.warn({ event: name, ...(loadBalancerId !== null && { loadBalancer: loadBalancerId }) }, message);
    link?.event(name, loadBalancerId, message);
  };
  const networks = await openNetworks(config, log, {
    acknowledge: (ack) => link?.acknowledge(ack),
    answers: (spec) => masterships.answers(spec),
    onReady: () => engine?.retry(),
    onChange: () => bgp.changed(),
    beforeRemoval: (domainId) => bgp.close(domainId),
    otherProblems: () => bgp.problems(),
  });
  const sources = { engine: () => engine, link: () => link, leads: (id: string) => masterships.leads(id) };
  bgp = openBgp(config, { networks, log, findBird: tools.findBird }, sources);
  const onChange = () => [bgp.changed(), networks.renewVips()];
  masterships = await openPairs(config, { ...tools, networks, log, bootId }, { link: sources.link, event, onChange });
  const checker = createChecker(config.checkerCommand);
  const deps: ServeDeps = {
    ...{ ...tools, materialsHome: home, log, slots: createSlots(SLOTS), networks, checker },
    config: { ...config, materialsDir: home.directory, ...tools.scripts },
    onReport: () => void [link?.reportChanged(), bgp.changed()],
    beforeEnd: bgp.withdrawn,
  };
  engine = await openEngine(deps, { acknowledge: (ack) => link?.acknowledge(ack), event });
  void beginBgp(bgp, engine, log);
  const logFiles = await openLogFiles(logSocket(config), engine.logTarget, log);
  const metrics = await openMetricsServer(metricsSocket(config), engine.metrics, log);
  // The first heartbeat is taken for complete.
  await Promise.race([engine.recovered, sleep(LONGEST_RECOVERY, undefined, { ref: false })]);
  const captures = createCaptures({ log, spec: engine.spec, taps: (one) => tapsOf(one, networks) });
  const onWelcome = () => masterships.tell();
  const running = { engine, networks, bgp, captures, onWelcome, inspector: createInspector({ engine, networks, bgp }) };
  link = await openControllerLink(config, { log, bootId, daemons: tools.daemons, running });
  const disk = watchDisk(config.stateDir, (name, message) => event(name, null, message));
  return {
    async stop(options) {
      disk.stop();
      link?.close();
      await Promise.all([captures.close(), metrics.close(), masterships.stop()]);
      // Before what it tells peers of.
      await bgp.stop(options);
      await running.engine.stop(options);
      await networks.stop(options);
      checker.stop();
      await logFiles.close();
      if (!options.keepServing) await closeMaterialsHome(home);
    },
  };
}

async function moveIn({ runDir, stateDir }: AgentConfig, log: Logger): Promise<void> {
  checkRunDirectory(runDir);
  await prepareDirectories(stateDir, runDir);
  await takeOver(stateDir, log);
}

/** The daemons and commands of this machine. Throws if haproxy is missing. */
async function findTools(config: AgentConfig, log: Logger) {
  const { haproxyPath = 'haproxy', nginxPath, birdPath, managesNetworks, stateDir } = config;
  const daemons: Record<string, string> = { haproxy: await haproxyVersion(haproxyPath) };
  const findNginx = createNginxFinder(nginxPath);
  const nginx = await findNginx();
  if ('problem' in nginx) log.warn({ problem: nginx.problem }, 'no UDP listeners can be served');
  else daemons['nginx'] = nginx.version;
  const findBird = createBirdFinder(birdPath);
  const bird = managesNetworks ? await findBird() : null;
  if (bird !== null && 'version' in bird) daemons['bird'] = bird.version;
  const napScript = await placeNapScript(stateDir, haproxyPath, log);
  const scripts = napScript === undefined ? {} : { napScript };
  return { daemons, haproxyPath, scripts, findNginx, findBird, ping: findPing() };
}

async function openNetworks(config: AgentConfig, log: Logger, notices: NetworksNotices): Promise<Networks> {
  const { managesNetworks, engineId, stateDir } = config;
  return managesNetworks ? createNetworks({ engineId, stateDir, log, notices }) : noNetworks;
}

interface BgpTools {
  readonly networks: Networks;
  readonly log: Logger;
  readonly findBird: FindBird;
}

interface BgpSources {
  readonly engine: () => Engine | null;
  readonly link: () => Link | null;
  /** Of a pair the master alone is announced. */
  readonly leads: (loadBalancerId: string) => boolean;
}

/** BGP is spoken in namespaces only, beside what serves there. */
function openBgp(config: AgentConfig, { networks, log, findBird }: BgpTools, { engine, link, leads }: BgpSources): Bgp {
  if (!networks.managed) return noBgp;
  return createBgp({
    ...{ config, log, findBird, domains: networks.domains },
    served: () => (engine()?.served() ?? []).filter(({ id }) => leads(id)),
    notices: {
      state: (state) => link()?.bgp(state),
      problems: networks.reviewProblems,
      event(name, message) {
        log.warn({ event: name }, message);
        link()?.event(name, null, message);
      },
    },
  });
}

interface PairTools {
  readonly networks: Networks;
  readonly log: Logger;
  readonly bootId: string;
  readonly ping: Ping | null;
}

interface PairNotices {
  readonly link: () => Link | null;
  readonly event: (name: string, loadBalancerId: string | null, message: string) => void;
  readonly onChange: () => unknown;
}

/** Neighbours are heard, and pairs are kept, in namespaces only. */
function openPairs(
  { engineId, stateDir }: AgentConfig,
  { networks, log, bootId, ping }: PairTools,
  { link, event, onChange }: PairNotices,
): Promise<Masterships> | Masterships {
  if (!networks.managed) return noMasterships;
  return openMasterships({
    ...{ engineId, stateDir, log, boot: bootId, domains: networks.domains, probe: gatewayProbe(ping) },
    now: monotonicNow,
    controllerHeard: () => link()?.heardAt() ?? null,
    notices: {
      neighbours: (heard, reach) => link()?.tell({ type: 'neighbours', heard: [...heard], reach: [...reach] }),
      masterships: (claims) => link()?.tell({ type: 'masterships', claims: [...claims] }),
      event,
      onChange: () => void onChange(),
    },
  });
}

/** After all that was held is served again: BIRD has told peers of it meanwhile. */
async function beginBgp(bgp: Bgp, { recovered }: Engine, log: Logger): Promise<void> {
  try {
    await recovered;
    await bgp.adopt();
  } catch (err) {
    log.error({ err }, 'BGP speakers were not taken over');
  }
  bgp.begin();
}

interface LinkParts extends Pick<Hello, 'bootId' | 'daemons'> {
  readonly log: Logger;
  readonly running: Pick<LinkDeps, 'engine' | 'bgp' | 'captures' | 'inspector' | 'onWelcome'> & {
    readonly networks: Networks;
  };
}

async function openControllerLink(config: AgentConfig, { log, bootId, daemons, running }: LinkParts): Promise<Link> {
  const { controllers, engineId, caFingerprint } = config;
  const dialer = await openDialer(config, log);
  const token = caFingerprint === undefined ? config.token : '';
  const hello = helloOf({ engineId, token, bootId, daemons }, running);
  return openLink({ controllers, dialer, log, ...running, random: Math.random, hello });
}

/** @throws Error for a fingerprint that is none, or controllers that would be spoken to in clear in spite of it */
async function openDialer(config: AgentConfig, log: Logger): Promise<Dialer> {
  if (config.caFingerprint === undefined) return plainDialer;
  const caFingerprint = readFingerprint(config.caFingerprint);
  if (caFingerprint === undefined) throw new Error(`${config.caFingerprint} is no SHA-256 fingerprint of a CA`);
  const clear = config.controllers.find((url) => !url.startsWith('wss:'));
  if (clear !== undefined) throw new Error(`${clear}: with the fingerprint of a CA controllers have wss:// URLs`);
  return createSecureDialer({ ...config, caFingerprint, log, now: monotonicNow });
}

type Self = Pick<Hello, 'engineId' | 'token' | 'bootId' | 'daemons'>;

/** What is said of this agent at each connection: what is held changes. */
function helloOf(self: Self, { engine, networks }: { engine: Engine; networks: Networks }): () => Hello {
  return () => ({
    type: 'hello',
    versions: [...PROTOCOL_VERSIONS],
    agentVersion,
    ...self,
    held: engine.held(),
    managesNetworks: networks.managed,
    networksDigest: networks.digest(),
    clock: Date.now(),
    inspects: true,
  });
}

/** Two agents on one directory would fight over it. The newer one wins: the older may have lost its parent. */
async function takeOver(stateDir: string, log: Logger): Promise<void> {
  const path = agentRecord(stateDir);
  const earlier = await readIdentity(path);
  const self = identify(process.pid);
  if (earlier !== null && earlier.pid !== process.pid && isAlive(earlier)) {
    log.warn({ pid: earlier.pid }, 'an earlier agent still serves this state directory: ending it');
    signal(earlier, 'SIGKILL');
    while (isAlive(earlier)) await sleep(10);
  }
  // A disk that is full must not keep it from serving what is there.
  await writeAtomically(path, JSON.stringify(self), false).catch((err: unknown) =>
    log.error({ err }, 'this agent could not leave its name'),
  );
}

async function readIdentity(path: string): Promise<ProcessIdentity | null> {
  try {
    return ProcessIdentity.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
