import type { EngineReport } from '../domain/operatingStatus';
import type { LoadBalancerReport } from '../protocol/messages';

/** What engines said last of each load balancer. In memory: a health-manager that starts hears everything again. */
export interface Reports {
  /** Takes what has changed; `complete` when it is all the engine has. Gives the load balancers to judge. */
  take(engineId: string, changed: readonly LoadBalancerReport[], complete: boolean): readonly string[];
  of(loadBalancerId: string): readonly EngineReport[];
  has(loadBalancerId: string): boolean;
  /** Gives the load balancers that lost a report. */
  forgetEngine(engineId: string): readonly string[];
  forget(engineId: string, loadBalancerId: string): void;
  /** Every load balancer of which there is a report. */
  loadBalancers(): readonly string[];
}

export function createReports(): Reports {
  const byLoadBalancer = new Map<string, Map<string, EngineReport>>();
  const byEngine = new Map<string, Set<string>>();

  const put = (report: EngineReport, loadBalancerId: string): void => {
    const reports = byLoadBalancer.get(loadBalancerId) ?? new Map<string, EngineReport>();
    byLoadBalancer.set(loadBalancerId, reports.set(report.engineId, report));
    const ids = byEngine.get(report.engineId) ?? new Set<string>();
    byEngine.set(report.engineId, ids.add(loadBalancerId));
  };
  const forget = (engineId: string, loadBalancerId: string): void => {
    const reports = byLoadBalancer.get(loadBalancerId);
    reports?.delete(engineId);
    if (reports?.size === 0) byLoadBalancer.delete(loadBalancerId);
    byEngine.get(engineId)?.delete(loadBalancerId);
  };
  return {
    take(engineId, changed, complete) {
      const named = new Set(changed.map(({ id }) => id));
      const dropped = complete ? [...(byEngine.get(engineId) ?? [])].filter((id) => !named.has(id)) : [];
      for (const id of dropped) forget(engineId, id);
      for (const { id, ...report } of changed) put({ engineId, ...report }, id);
      return [...named, ...dropped];
    },
    of: (loadBalancerId) => [...(byLoadBalancer.get(loadBalancerId)?.values() ?? [])],
    has: (loadBalancerId) => byLoadBalancer.has(loadBalancerId),
    forgetEngine(engineId) {
      const ids = [...(byEngine.get(engineId) ?? [])];
      for (const id of ids) forget(engineId, id);
      byEngine.delete(engineId);
      return ids;
    },
    forget,
    loadBalancers: () => [...byLoadBalancer.keys()],
  };
}
