import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import { type Bus, type BusHandler, HINTS_TOPIC, PROVISIONING_TOPIC } from '../bus/port';
import type { Certificates } from '../clouds/certificates/port';
import type { ComputeDriver } from '../clouds/compute/port';
import type { ContrailDriver } from '../clouds/contrail/port';
import type { NetworkDriver } from '../clouds/network/port';
import type { Config } from '../config/config';
import { readContrail } from '../config/contrail';
import { notificationSettings } from '../config/notifications';
import { readRouting } from '../config/routing';
import { openSealer } from '../config/sealer';
import type { Db } from '../db/connect';
import { fingerprintOf } from '../domain/fingerprint';
import type { RunningProcess } from '../domain/process';
import { tellCloud } from '../drift/tellCloud';
import { readAuthorityCertificate } from '../pki/files';
import type { ContrailParts } from '../reconcile/contrailTarget';
import { createEngineGroups } from '../reconcile/engineGroups';
import { type EngineParts, reconcileEngine } from '../reconcile/engineUnit';
import type { KeyedQueue } from '../reconcile/keyedQueue';
import type { LoadBalancerParts } from '../reconcile/loadBalancerRun';
import { reconcileLoadBalancer } from '../reconcile/loadBalancerUnit';
import { type BackOff, exponentialBackOff } from '../reconcile/outcome';
import { createPairWriter } from '../reconcile/pairWriter';
import { createMutex } from '../reconcile/wiringTarget';
import type { Loops } from '../telemetry/loops';
import { drain } from './drain';
import { type CallObserver, guardDriver } from './guardDriver';
import { createWorkerMetrics } from './metrics';
import { createProvisioning } from './provisioning';
import { type WorkerSettings, workerSettings } from './settings';
import { createUnitQueue, readHint, type Wanted } from './units';

/** What a worker runs on. */
export interface WorkerParts {
  readonly config: Pick<
    Config,
    | 'DEFAULT'
    | 'api_settings'
    | 'controller_worker'
    | 'service_engine'
    | 'health_manager'
    | 'driver_agent'
    | 'oslo_messaging_notifications'
    | 'contrail'
    | 'certificates'
  >;
  readonly db: Db;
  readonly bus: Bus;
  readonly network: NetworkDriver;
  readonly compute: ComputeDriver;
  /** Where VIPs are wired, with `network_driver = contrail`. */
  readonly vnc?: ContrailDriver;
  /** Where users keep certificates, if anywhere. */
  readonly certificates?: Certificates;
  readonly log: Logger;
  /** Where engines find their controllers (WebSocket URLs), if not where the configuration says. */
  readonly controllers?: readonly string[];
  /** Of their CA, if it is not that of the configuration. */
  readonly caFingerprint?: string;
  /** Collects the metrics that `/metrics` shows; the process's own by default. */
  readonly registry?: Registry;
  /** What the process's health knows of its runs. */
  readonly loops?: Loops;
  /** Over those of the configuration; for tests. */
  readonly settings?: Partial<WorkerSettings>;
}

/**
 * Runs a worker: takes hints and reconciles what they name. A hint is acknowledged once its unit is queued; what a worker
 * that dies had queued is found by the sweep.
 */
export async function runWorker(parts: WorkerParts): Promise<RunningProcess> {
  const { config, bus, log } = parts;
  const settings = { ...workerSettings(config), ...parts.settings };
  const owner = `${hostname().slice(0, 64)}:${process.pid}:${randomUUID().slice(0, 8)}`;
  const backOff = exponentialBackOff({ first: settings.firstRetry, most: settings.lastRetry });
  const metrics = createWorkerMetrics(parts.registry ?? new Registry(), () => queue.size, parts.loops);
  const context = { parts, settings, onCall: metrics.called };
  const clouds = {
    network: politely(parts.network, 'network', context),
    compute: politely(parts.compute, 'compute', context),
    ...contrailOf(context),
  };
  const loadBalancers = loadBalancerParts({ ...context, owner, backOff, clouds });
  const { leaseSeconds, engineCreateTimeout } = settings;
  const engines = {
    ...parts,
    ...clouds,
    owner,
    routing: readRouting(config),
    ...createEngineGroups({ ...clouds, db: parts.db, ownerTag: config.service_engine.owner_tag }),
    controllers: parts.controllers ?? controllersOf(config),
    ...trustOf(parts),
    ...managementOf(config),
    settings: { leaseSeconds, engineCreateTimeout, backOff, ownerTag: config.service_engine.owner_tag },
  };
  const queue: KeyedQueue = createUnitQueue({
    run: {
      load_balancer: (id) => metrics.measure('load_balancer', () => reconcileLoadBalancer(loadBalancers, id)),
      engine: (id) => metrics.measure('engine', () => reconcileEngine(engines, id)),
    },
    log,
    concurrency: settings.concurrency,
    retryBroken: settings.firstRetry,
  });
  const take = ({ key, lane }: Wanted): void => queue.add(key, lane);
  const takeHint: BusHandler = (message) => {
    const wanted = readHint(message);
    if (wanted) take(wanted);
    else log.info({ method: message.method }, 'a message names nothing to look at');
  };
  const subscriptions = await Promise.all([
    bus.serve(PROVISIONING_TOPIC, createProvisioning({ db: parts.db, log, take })),
    bus.subscribe(HINTS_TOPIC, takeHint),
  ]);
  log.info({ owner, concurrency: settings.concurrency }, 'the worker is up');
  return {
    close: () => drain({ ...parts, subscriptions, queue, owner, seconds: settings.drainSeconds }),
  };
}

interface Context {
  readonly parts: WorkerParts;
  readonly settings: WorkerSettings;
  readonly onCall: CallObserver;
}

function loadBalancerParts({
  parts,
  settings,
  onCall,
  owner,
  backOff,
  clouds,
}: Context & {
  owner: string;
  backOff: BackOff;
  clouds: { network: NetworkDriver; contrail?: ContrailParts };
}): LoadBalancerParts {
  const { leaseSeconds, stepSeconds, pendingDeadline, engineCreateTimeout, engineNamePrefix, drainSettle } = settings;
  return {
    db: parts.db,
    bus: parts.bus,
    log: parts.log,
    ...clouds,
    ...keyManagerOf({ parts, settings, onCall }),
    bootsNothing: parts.compute.bootsNothing,
    plugsVnics: parts.compute.attachPort !== undefined,
    routing: readRouting(parts.config),
    networkOfSubnet: new Map(),
    ipv4Subnets: new Map(),
    owner,
    alone: createMutex(),
    externalProviders: new Set(parts.config.driver_agent.external_providers),
    notifies: parts.config.controller_worker.event_notifications && notificationSettings(parts.config) !== undefined,
    settings: {
      ...{ leaseSeconds, stepSeconds, pendingDeadline, engineCreateTimeout, engineNamePrefix, drainSettle, backOff },
      enginesAreAlike: parts.config.controller_worker.compute_driver === 'local',
      tenancyMode: settings.tenancyMode,
    },
  };
}

function contrailOf({ parts, settings, onCall }: Context): { contrail?: ContrailParts } {
  const wiring = readContrail(parts.config);
  if (!parts.vnc || !wiring) return {};
  const sealer = openSealer(parts.config);
  const driver = politely(parts.vnc, 'contrail', { parts, settings, onCall });
  return {
    contrail: {
      driver,
      pairs: createPairWriter(parts.db, driver),
      settings: wiring,
      ownerTag: parts.config.service_engine.owner_tag,
      seenServices: new Map(),
      seenWiring: new Map(),
      ...(sealer && { sealer }),
    },
  };
}

/** Longest the key manager may keep a load balancer from its next change, in seconds. */
const KEY_MANAGER_TIMEOUT = 3;

function keyManagerOf({ parts, settings, onCall }: Context): Pick<LoadBalancerParts, 'keyManager'> {
  if (!parts.certificates) return {};
  const cloudCallTimeout = Math.min(settings.cloudCallTimeout, KEY_MANAGER_TIMEOUT);
  const certificates = politely(parts.certificates, 'key-manager', {
    parts,
    settings: { ...settings, cloudCallTimeout },
    onCall,
  });
  const apiUrl = (parts.config.api_settings.api_base_uri ?? '').replace(/\/+$/, '');
  return { keyManager: { certificates, apiUrl } };
}

/** Keeps the manners of `settings` towards a cloud; that it is away, and back, is an event each. */
function politely<Driver extends object>(driver: Driver, cloud: string, { parts, settings, onCall }: Context): Driver {
  const tell = async (state: 'paused' | 'resumed'): Promise<void> => {
    parts.log.warn({ cloud, state }, state === 'paused' ? 'a cloud does not answer' : 'a cloud answers again');
    await tellCloud(parts.db, cloud, state === 'paused' ? 'away' : 'back');
  };
  return guardDriver(driver, {
    cloud,
    concurrency: settings.cloudConcurrency,
    callTimeout: settings.cloudCallTimeout * 1000,
    failures: settings.cloudFailures,
    pause: settings.cloudPause * 1000,
    onCall,
    onChange: (state) => {
      tell(state).catch((err: unknown) => parts.log.warn({ err }, 'an event could not be recorded'));
    },
  });
}

/** The port that an engine calls home by is made here where both networks and servers are a real cloud's. */
function managementOf({ controller_worker: worker }: WorkerParts['config']): Pick<EngineParts, 'management'> {
  const [networkId] = worker.amp_boot_network_list;
  if (
    !['neutron', 'contrail'].includes(worker.network_driver) ||
    worker.compute_driver !== 'nova' ||
    networkId === undefined
  )
    return {};
  return { management: { networkId, securityGroupIds: worker.amp_secgroup_list } };
}

/** What engines are told to trust, and what seals their tokens. */
function trustOf({ config, caFingerprint }: WorkerParts): Pick<EngineParts, 'caFingerprint' | 'sealer'> {
  const ca = readAuthorityCertificate(config.certificates);
  return { caFingerprint: caFingerprint ?? (ca && fingerprintOf(ca.raw)), sealer: openSealer(config) };
}

function controllersOf({ health_manager, certificates }: WorkerParts['config']): string[] {
  const { bind_ip, bind_port, controller_ip_port_list } = health_manager;
  const addresses = controller_ip_port_list.length > 0 ? controller_ip_port_list : [`${bind_ip}:${bind_port}`];
  const scheme = certificates.ca_certificate === null ? 'ws' : 'wss';
  return addresses.map((address) => `${scheme}://${address}`);
}
