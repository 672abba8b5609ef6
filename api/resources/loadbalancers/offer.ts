import type { Db } from '../../../driver/db/connect';
import { type AvailabilityZone, type Flavor, findAvailabilityZone, findFlavor } from '../../../driver/db/flavors';
import { BadRequestError, DisabledOptionError, ValidationError } from '../../../driver/domain/errors';
import type { LoadBalancerCreate } from '../../changes/bodies';
import type { ChangeSettings } from '../../changes/settings';

/** Who provides a new load balancer, and how it is made. */
export interface Offer {
  readonly provider: string;
  readonly flavor: Flavor | undefined;
  readonly zone: AvailabilityZone | undefined;
  /** SINGLE or ACTIVE_STANDBY. */
  readonly topology: string;
  /** `direct` when the flavor asks for SR-IOV. */
  readonly vnicType: 'normal' | 'direct';
}

/**
 * Reads flavor and availability zone and settles on the provider.
 * @throws ServiceError
 */
export async function chooseOffer(db: Db, body: LoadBalancerCreate, settings: ChangeSettings): Promise<Offer> {
  const flavor = body.flavor_id ? await usableFlavor(db, body.flavor_id) : undefined;
  const zone = body.availability_zone ? await usableZone(db, body.availability_zone) : undefined;
  const provider = chooseProvider(body.provider, flavor, settings);
  const topology = flavor?.data['loadbalancer_topology'];
  return {
    provider,
    flavor,
    zone,
    topology: typeof topology === 'string' ? topology : settings.defaultTopology,
    vnicType: flavor?.data['sriov_vip'] === true ? 'direct' : 'normal',
  };
}

async function usableFlavor(db: Db, id: string): Promise<Flavor> {
  const flavor = await findFlavor(db, id);
  if (!flavor) throw new ValidationError('Invalid flavor_id.');
  if (!flavor.enabled) throw new DisabledOptionError('flavor', id);
  return flavor;
}

async function usableZone(db: Db, name: string): Promise<AvailabilityZone> {
  const zone = await findAvailabilityZone(db, name);
  if (!zone) throw new ValidationError('Invalid availability zone.');
  if (!zone.enabled) throw new DisabledOptionError('availability_zone', name);
  return zone;
}

/** The flavor's, else the one asked for, else the default. */
function chooseProvider(
  asked: string | null | undefined,
  flavor: Flavor | undefined,
  { providers, defaultProvider }: ChangeSettings,
): string {
  if (flavor && asked && asked !== flavor.provider) {
    throw new BadRequestError(`Flavor '${flavor.id}' is not compatible with provider '${asked}'`);
  }
  const provider = flavor?.provider ?? asked ?? defaultProvider;
  if (!providers.includes(provider)) throw new BadRequestError(`Provider '${provider}' is not enabled.`);
  return provider;
}
