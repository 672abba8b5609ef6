import { catalogueHandlers } from '../catalogueRoutes';
import type { Handlers, ResourceDeps } from '../deps';
import {
  createFlavor,
  createFlavorProfile,
  deleteFlavor,
  deleteFlavorProfile,
  updateFlavor,
  updateFlavorProfile,
} from './commands';
import { FLAVOR, FLAVOR_PROFILE } from './view';

type Ids =
  | `${'show' | 'create' | 'update' | 'delete'}${'Flavor' | 'FlavorProfile'}`
  | 'listFlavors'
  | 'listFlavorProfiles';

export function flavorRoutes(deps: ResourceDeps): Handlers<Ids> {
  const flavor = catalogueHandlers(deps, FLAVOR, {
    create: createFlavor,
    update: updateFlavor,
    remove: deleteFlavor,
  });
  const profile = catalogueHandlers(deps, FLAVOR_PROFILE, {
    create: createFlavorProfile,
    update: updateFlavorProfile,
    remove: deleteFlavorProfile,
  });
  return {
    listFlavors: flavor.list,
    showFlavor: flavor.show,
    createFlavor: flavor.create,
    updateFlavor: flavor.update,
    deleteFlavor: flavor.remove,
    listFlavorProfiles: profile.list,
    showFlavorProfile: profile.show,
    createFlavorProfile: profile.create,
    updateFlavorProfile: profile.update,
    deleteFlavorProfile: profile.remove,
  };
}
