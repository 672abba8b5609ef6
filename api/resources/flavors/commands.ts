import { deleteCatalogue, insertCatalogue, isUsed, updateCatalogue } from '../../../driver/db/catalogue';
import { toBit } from '../../../driver/db/codecs';
import { inTransaction } from '../../../driver/db/connect';
import { flavorProfiles, flavors } from '../../../driver/db/read/catalogue';
import { readOne } from '../../../driver/db/read/model';
import type { FlavorProfileRow } from '../../../driver/db/rows';
import { InvalidReferenceError, NotFoundError } from '../../../driver/domain/errors';
import type { CommandDeps } from '../../changes/deps';
import type { Schemas } from '../../openapi/schemas';
import {
  checkNamedGroup,
  checkProfileData,
  checkProvider,
  enabledOr,
  inUse,
  mustExist,
  refuseDuplicates,
  refuseNulls,
  required,
} from '../catalogueChecks';
import { FLAVOR_CAPABILITIES } from './capabilities';

const DATA = 'flavor_data';

/** @returns the new flavor's id @throws ServiceError */
export async function createFlavor(deps: CommandDeps, body: Schemas['FlavorCreate']): Promise<string> {
  const row = {
    id: deps.newId(),
    name: required(body.name, 'name'),
    description: body.description ?? '',
    enabled: toBit(enabledOr(body.enabled, true)),
    flavor_profile_id: required(body.flavor_profile_id, 'flavor_profile_id'),
  };
  await inTransaction(deps.db, async (trx) => {
    if (!(await readOne(trx, flavorProfiles, row.flavor_profile_id))) {
      throw new InvalidReferenceError('Flavor profile', row.flavor_profile_id);
    }
    await refuseDuplicates(`flavor of ${row.name}`, () => insertCatalogue(trx, 'flavor', row));
  });
  return row.id;
}

/** @throws ServiceError */
export async function updateFlavor({ db }: CommandDeps, id: string, body: Schemas['FlavorUpdate']): Promise<void> {
  refuseNulls(body, ['name', 'enabled']);
  const { name, description, enabled } = body;
  await inTransaction(db, async (trx) => {
    await mustExist(trx, flavors, 'Flavor', id);
    const changes = {
      ...(typeof name === 'string' ? { name } : {}),
      ...(description === undefined ? {} : { description: description ?? '' }),
      ...(typeof enabled === 'boolean' ? { enabled: toBit(enabled) } : {}),
    };
    await refuseDuplicates(`flavor of ${name}`, () => updateCatalogue(trx, 'flavor', id, changes));
  });
}

/** @throws ServiceError */
export async function deleteFlavor({ db }: CommandDeps, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await mustExist(trx, flavors, 'Flavor', id);
    if (await isUsed(trx, 'flavor', id)) throw inUse('Flavor', id);
    await deleteCatalogue(trx, 'flavor', id);
  });
}

/** @returns the new profile's id @throws ServiceError */
export async function createFlavorProfile(deps: CommandDeps, body: Schemas['FlavorProfileCreate']): Promise<string> {
  const row = {
    id: deps.newId(),
    name: required(body.name, 'name'),
    provider_name: required(body.provider_name, 'provider_name'),
    flavor_data: required(body.flavor_data, DATA),
  };
  checkProfile(deps, row);
  await checkNamedGroup(deps.db, row.flavor_data);
  await insertCatalogue(deps.db, 'flavor_profile', row);
  return row.id;
}

/** Provider and data of a profile stay while a flavor uses it. @throws ServiceError */
export async function updateFlavorProfile(
  deps: CommandDeps,
  id: string,
  body: Schemas['FlavorProfileUpdate'],
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const stored = await readOne<FlavorProfileRow>(trx, flavorProfiles, id);
    if (!stored) throw new NotFoundError('Flavor profile', id);
    refuseNulls(body, ['name', 'provider_name', DATA]);
    const touches = body.provider_name !== undefined || body.flavor_data !== undefined;
    if (touches && (await isUsed(trx, 'flavor_profile', id))) throw inUse('Flavor profile', id);
    const changes = Object.fromEntries(Object.entries(body)) as Partial<FlavorProfileRow>;
    if (touches) checkProfile(deps, { ...stored, ...changes });
    if (typeof changes.flavor_data === 'string') await checkNamedGroup(trx, changes.flavor_data);
    await updateCatalogue(trx, 'flavor_profile', id, changes);
  });
}

/** @throws ServiceError */
export async function deleteFlavorProfile({ db }: CommandDeps, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await mustExist(trx, flavorProfiles, 'Flavor profile', id);
    if (await isUsed(trx, 'flavor_profile', id)) throw inUse('Flavor profile', id);
    await deleteCatalogue(trx, 'flavor_profile', id);
  });
}

function checkProfile({ settings }: CommandDeps, { provider_name: provider, flavor_data: data }: FlavorProfileRow) {
  checkProvider(provider, settings.providers);
  checkProfileData(data, { option: DATA, provider, known: FLAVOR_CAPABILITIES });
}
