import type { ApiRequest, Handler } from '../../exchange';
import { selectFields } from '../../listing/fields';
import { authorize } from '../../policy/authorize';
import type { RuleName } from '../../policy/rules';
import { AVAILABILITY_ZONE_CAPABILITIES } from '../availabilityzones/capabilities';
import { checkProvider } from '../catalogueChecks';
import type { Handlers, ResourceDeps } from '../deps';
import { FLAVOR_CAPABILITIES } from '../flavors/capabilities';
import type { Capability } from '../profileValues';
import { param } from '../reading';

type Ids = 'listProviders' | 'listFlavorCapabilities' | 'listAvailabilityZoneCapabilities';

export function providerRoutes(deps: ResourceDeps): Handlers<Ids> {
  return {
    listProviders: {
      handle: async (request) => {
        authorize(deps.policy, request.identity, 'provider:get_all', { projectId: null });
        return { status: 200, body: { providers: namedItems(request, deps.providers) } };
      },
    },
    listFlavorCapabilities: capabilities(deps, 'provider-flavor:get_all', {
      key: 'flavor_capabilities',
      items: FLAVOR_CAPABILITIES,
    }),
    listAvailabilityZoneCapabilities: capabilities(deps, 'provider-availability-zone:get_all', {
      key: 'availability_zone_capabilities',
      items: AVAILABILITY_ZONE_CAPABILITIES,
    }),
  };
}

type Descriptions = Readonly<Record<string, string>>;

function capabilities(
  { policy, providers }: ResourceDeps,
  rule: RuleName,
  { key, items }: { key: string; items: Readonly<Record<string, Capability>> },
): Handler {
  const shown = Object.fromEntries(Object.entries(items).map(([name, { description }]) => [name, description]));
  return {
    handle: async (request) => {
      authorize(policy, request.identity, rule, { projectId: null });
      checkProvider(param(request, 'provider'), Object.keys(providers));
      return { status: 200, body: { [key]: namedItems(request, shown) } };
    },
  };
}

/** Names with descriptions, filtered by either, less what `fields` leaves out. */
function namedItems({ query }: ApiRequest, items: Descriptions): object[] {
  const name = query.get('name');
  const description = query.get('description');
  return Object.entries(items)
    .map(([itemName, text]) => ({ name: itemName, description: text }))
    .filter((item) => name === null || item.name === name)
    .filter((item) => description === null || item.description === description)
    .map((item) => selectFields(item, query));
}
