import type { Engine } from '../../driver/domain/engine';
import { planFleet, planTenantFleet } from '../../driver/domain/fleet';
import { type GroupProperties, ownerOf, slotsOfNewEngine } from '../../driver/domain/group';
import {
  chooseEngines,
  type EngineCandidate,
  type EngineDemand,
  type PlacementChoice,
  type PlacementRequest,
} from '../../driver/domain/placement';
import { readService } from '../../driver/domain/placementDemand';
import { planPlacements } from '../../driver/domain/placementPlan';
import type { Placement } from '../../driver/domain/tree';

/** A group, its engines and the load balancers on them, kept in memory by the rules alone: what the database and the workers do, in small. */

export interface ModelEngine {
  id: string;
  status: Engine['status'];
  deleting: boolean;
  slots: number;
  host: string | null;
  zone: string | null;
  computeFlavor: string | null;
  ownerProjectId: string | null;
  vnics: Set<string>;
}

export interface ModelLoadBalancer {
  readonly id: string;
  readonly projectId: string;
  readonly flavor: Readonly<Record<string, unknown>>;
  readonly zone: string | null;
  readonly topology: string;
  readonly vnics: readonly string[];
  /** Ids of its engines. */
  readonly on: Set<string>;
}

/** One choice that was made, with what it was made from. */
export interface Chosen {
  readonly lb: ModelLoadBalancer;
  readonly request: PlacementRequest;
  readonly before: readonly EngineCandidate[];
  readonly choice: PlacementChoice;
}

export class FleetModel {
  readonly engines = new Map<string, ModelEngine>();
  readonly loadBalancers = new Map<string, ModelLoadBalancer>();
  private made = 0;

  constructor(
    public group: GroupProperties,
    private readonly hosts: readonly string[],
  ) {}

  /** One run of the load balancer's unit, all of its engines having confirmed. Undefined when there was nothing to choose. */
  run(lb: ModelLoadBalancer): Chosen | undefined {
    const tree = { generation: 1, placements: [...lb.on].map((id) => this.placementOn(id)) };
    const service = readService({ ...lb, zone: lb.zone === null ? {} : { compute_zone: lb.zone } }, this.group);
    const { add, occupied, staying, drop } = planPlacements(tree, service.engines);
    for (const { engineId } of drop) lb.on.delete(engineId);
    if (add === 0) return undefined;
    const { perApp, zone, computeFlavor, imageTag } = service;
    const { projectId, vnics } = lb;
    const ownerProjectId = ownerOf(projectId, this.group);
    const demand: EngineDemand = { projectId, ownerProjectId, perApp, zone, computeFlavor, imageTag, vnics };
    const request = { count: add, demand, occupied, staying };
    const before = this.candidates();
    const choice = chooseEngines(request, before, this.group);
    const fresh = Array.from({ length: choice.newEngines }, () => this.make(demand));
    for (const id of [...choice.engineIds, ...fresh]) {
      lb.on.add(id);
      for (const vnic of lb.vnics) this.engines.get(id)?.vnics.add(vnic);
    }
    return { lb, request, before, choice };
  }

  /** One run of the fleet's job. Gives the number of engines made. */
  keepFleet(): number {
    const engines = this.candidates().map((it) => ({ ...NO_ENGINE, ...it, availabilityZone: it.zone }));
    const { addIn, retire } = this.plan(engines);
    for (const id of retire) this.remove(id);
    const asked = { perApp: false, zone: null, computeFlavor: null };
    for (const ownerProjectId of addIn) this.make({ ...asked, ownerProjectId });
    return addIn.length;
  }

  /** The compute service places the server: round its hosts, as anti-affinity has it. */
  build(engine: ModelEngine): void {
    if (engine.status !== 'BUILDING') return;
    const load = (host: string) => [...this.engines.values()].filter((it) => it.host === host).length;
    engine.host = [...this.hosts].sort((a, b) => load(a) - load(b))[0] ?? null;
    engine.status = 'READY';
  }

  remove(id: string): void {
    this.engines.delete(id);
    for (const { on } of this.loadBalancers.values()) on.delete(id);
  }

  on(engineId: string): readonly ModelLoadBalancer[] {
    return [...this.loadBalancers.values()].filter((lb) => lb.on.has(engineId));
  }

  candidates(): EngineCandidate[] {
    return [...this.engines.values()].map((engine) => {
      const served = this.on(engine.id);
      const projects = new Set(served.map(({ projectId }) => projectId));
      return {
        ...engine,
        connected: engine.status === 'READY',
        slotsUsed: served.length,
        imageTag: null,
        projectId: projects.size === 1 ? ([...projects][0] ?? null) : null,
        perApp: served.some(({ flavor }) => flavor['per_app'] === true),
        vnics: [...engine.vnics],
      };
    });
  }

  private plan(engines: readonly Engine[]): { addIn: readonly (string | null)[]; retire: readonly string[] } {
    if (this.group.tenancy === 'tenant') return planTenantFleet(this.group, engines);
    const { add, retire } = planFleet(this.group, engines);
    return { addIn: Array.from({ length: add }, () => null), retire };
  }

  private make(asked: Pick<EngineDemand, 'perApp' | 'zone' | 'computeFlavor' | 'ownerProjectId'>): string {
    const { perApp, zone, computeFlavor, ownerProjectId } = asked;
    this.made += 1;
    const id = `engine-${String(this.made).padStart(4, '0')}`;
    const slots = slotsOfNewEngine({ ...this.group, perApp: perApp || this.group.perApp });
    const engine = { id, slots, zone, computeFlavor, status: 'BUILDING' as const, deleting: false, host: null };
    this.engines.set(id, { ...engine, ownerProjectId, vnics: new Set() });
    return id;
  }

  private placementOn(engineId: string): Placement {
    const { status, deleting } = this.engines.get(engineId) ?? { status: 'GHOST' as const, deleting: true };
    return {
      id: engineId,
      engineId,
      role: 'primary',
      deleting: false,
      stale: status === 'DOWN',
      wantedGeneration: 1,
      wantedEpoch: 1,
      confirmedGeneration: status === 'BUILDING' ? -1 : 1,
      refusals: [],
      refused: false,
      request: null,
      requestId: null,
      requestTarget: null,
      draining: false,
      engine: { status, deleting, connected: status === 'READY', managementAddress: null },
    };
  }
}

const NO_ENGINE = {
  groupId: 'group',
  name: '',
  computeId: null,
  managementAddress: null,
  tokenHash: null,
  connectedTo: null,
  connectionEpoch: 0,
  generation: 1,
  settledGeneration: 1,
  attempts: 0,
  leaseEpoch: 0,
  unchangedFor: 0,
  serverLaunchedAt: null,
};
