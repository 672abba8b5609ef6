import { stableId } from './directory';

/** One service of the catalogue, as the caller describes it. The load balancer's URL must be the unversioned one. */
export interface CatalogService {
  /** "identity", "network", "load-balancer", ... */
  readonly type: string;
  readonly name: string;
  /** The same for the interfaces public, internal and admin. */
  readonly url: string;
}

export const REGION = 'RegionOne';

export interface Endpoint {
  readonly id: string;
  readonly interface: 'public' | 'internal' | 'admin';
  readonly region: string;
  readonly region_id: string;
  readonly url: string;
}

/** The catalogue as tokens carry it. */
export function buildCatalog(services: readonly CatalogService[]) {
  return services.map((service) => ({
    id: serviceId(service),
    type: service.type,
    name: service.name,
    endpoints: buildEndpoints(service),
  }));
}

/** The rows of `/v3/services`. */
export function listServices(services: readonly CatalogService[]) {
  return services.map((service) => ({
    id: serviceId(service),
    type: service.type,
    name: service.name,
    description: '',
    enabled: true,
  }));
}

/** The rows of `/v3/endpoints`. */
export function listEndpoints(services: readonly CatalogService[]) {
  return services.flatMap((service) =>
    buildEndpoints(service).map((endpoint) => ({ ...endpoint, service_id: serviceId(service), enabled: true })),
  );
}

function buildEndpoints({ type, url }: CatalogService): Endpoint[] {
  return (['public', 'internal', 'admin'] as const).map((face) => ({
    id: stableId('endpoint', `${type} ${face}`),
    interface: face,
    region: REGION,
    region_id: REGION,
    url,
  }));
}

function serviceId({ type }: CatalogService): string {
  return stableId('service', type);
}
