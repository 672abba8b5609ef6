import { catalogueHandlers } from '../catalogueRoutes';
import type { Handlers, ResourceDeps } from '../deps';
import {
  createAvailabilityZone,
  createAvailabilityZoneProfile,
  deleteAvailabilityZone,
  deleteAvailabilityZoneProfile,
  updateAvailabilityZone,
  updateAvailabilityZoneProfile,
} from './commands';
import { AVAILABILITY_ZONE, AVAILABILITY_ZONE_PROFILE } from './view';

type Ids =
  | `${'show' | 'create' | 'update' | 'delete'}${'AvailabilityZone' | 'AvailabilityZoneProfile'}`
  | 'listAvailabilityZones'
  | 'listAvailabilityZoneProfiles';

export function availabilityZoneRoutes(deps: ResourceDeps): Handlers<Ids> {
  const zone = catalogueHandlers(deps, AVAILABILITY_ZONE, {
    create: createAvailabilityZone,
    update: updateAvailabilityZone,
    remove: deleteAvailabilityZone,
  });
  const profile = catalogueHandlers(deps, AVAILABILITY_ZONE_PROFILE, {
    create: createAvailabilityZoneProfile,
    update: updateAvailabilityZoneProfile,
    remove: deleteAvailabilityZoneProfile,
  });
  return {
    listAvailabilityZones: zone.list,
    showAvailabilityZone: zone.show,
    createAvailabilityZone: zone.create,
    updateAvailabilityZone: zone.update,
    deleteAvailabilityZone: zone.remove,
    listAvailabilityZoneProfiles: profile.list,
    showAvailabilityZoneProfile: profile.show,
    createAvailabilityZoneProfile: profile.create,
    updateAvailabilityZoneProfile: profile.update,
    deleteAvailabilityZoneProfile: profile.remove,
  };
}
