import { amphoraRoutes } from './amphorae/routes';
import { availabilityZoneRoutes } from './availabilityzones/routes';
import type { Handlers, ResourceDeps } from './deps';
import { flavorRoutes } from './flavors/routes';
import { healthMonitorRoutes } from './healthmonitors/routes';
import { l7PolicyRoutes } from './l7policies/routes';
import { l7RuleRoutes } from './l7rules/routes';
import { listenerRoutes } from './listeners/routes';
import { loadBalancerRoutes } from './loadbalancers/routes';
import { memberRoutes } from './members/routes';
import { poolRoutes } from './pools/routes';
import { providerRoutes } from './providers/routes';
import { quotaRoutes } from './quotas/routes';
import { slipstreamRoutes } from './slipstream/routes';
import { versionRoutes } from './versions/routes';

/** A handler for every operation of the OpenAPI document: one that is missing does not compile. */
export function createHandlers(deps: ResourceDeps): Handlers {
  return {
    ...versionRoutes(),
    ...loadBalancerRoutes(deps),
    ...listenerRoutes(deps),
    ...poolRoutes(deps),
    ...memberRoutes(deps),
    ...healthMonitorRoutes(deps),
    ...l7PolicyRoutes(deps),
    ...l7RuleRoutes(deps),
    ...quotaRoutes(deps),
    ...flavorRoutes(deps),
    ...availabilityZoneRoutes(deps),
    ...providerRoutes(deps),
    ...amphoraRoutes(deps),
    ...slipstreamRoutes(deps),
  };
}
