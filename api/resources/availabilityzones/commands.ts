import { deleteCatalogue, insertCatalogue, isUsed, updateCatalogue } from '../../../driver/db/catalogue';
import { toBit } from '../../../driver/db/codecs';
import { inTransaction } from '../../../driver/db/connect';
import { availabilityZoneProfiles, availabilityZones } from '../../../driver/db/read/catalogue';
import { readOne } from '../../../driver/db/read/model';
import type { AvailabilityZoneProfileRow } from '../../../driver/db/rows';
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
import { AVAILABILITY_ZONE_CAPABILITIES } from './capabilities';

const DATA = 'availability_zone_data';
const ZONE = 'Availability Zone';
const PROFILE = 'Availability Zone Profile';

/** @returns the new zone's name @throws ServiceError */
export async function createAvailabilityZone(
  { db }: CommandDeps,
  body: Schemas['AvailabilityZoneCreate'],
): Promise<string> {
  const row = {
    name: required(body.name, 'name'),
    description: body.description ?? '',
    enabled: toBit(enabledOr(body.enabled, true)),
    availability_zone_profile_id: required(body.availability_zone_profile_id, 'availability_zone_profile_id'),
  };
  await inTransaction(db, async (trx) => {
    if (!(await readOne(trx, availabilityZoneProfiles, row.availability_zone_profile_id))) {
      throw new InvalidReferenceError(PROFILE, row.availability_zone_profile_id);
    }
    await refuseDuplicates(`availability zone of ${row.name}`, () => insertCatalogue(trx, 'availability_zone', row));
  });
  return row.name;
}

/** @throws ServiceError */
export async function updateAvailabilityZone(
  { db }: CommandDeps,
  name: string,
  body: Schemas['AvailabilityZoneUpdate'],
): Promise<void> {
  refuseNulls(body, ['enabled']);
  const { description, enabled } = body;
  await inTransaction(db, async (trx) => {
    await mustExist(trx, availabilityZones, ZONE, name);
    await updateCatalogue(trx, 'availability_zone', name, {
      ...(description === undefined ? {} : { description: description ?? '' }),
      ...(typeof enabled === 'boolean' ? { enabled: toBit(enabled) } : {}),
    });
  });
}

/** @throws ServiceError */
export async function deleteAvailabilityZone({ db }: CommandDeps, name: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await mustExist(trx, availabilityZones, ZONE, name);
    if (await isUsed(trx, 'availability_zone', name)) throw inUse(ZONE, name);
    await deleteCatalogue(trx, 'availability_zone', name);
  });
}

/** @returns the new profile's id @throws ServiceError */
export async function createAvailabilityZoneProfile(
  deps: CommandDeps,
  body: Schemas['AvailabilityZoneProfileCreate'],
): Promise<string> {
  const row = {
    id: deps.newId(),
    name: required(body.name, 'name'),
    provider_name: required(body.provider_name, 'provider_name'),
    availability_zone_data: required(body.availability_zone_data, DATA),
  };
  checkProfile(deps, row);
  await checkNamedGroup(deps.db, row.availability_zone_data);
  await insertCatalogue(deps.db, 'availability_zone_profile', row);
  return row.id;
}

/** Provider and data of a profile stay while a zone uses it. @throws ServiceError */
export async function updateAvailabilityZoneProfile(
  deps: CommandDeps,
  id: string,
  body: Schemas['AvailabilityZoneProfileUpdate'],
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const stored = await readOne<AvailabilityZoneProfileRow>(trx, availabilityZoneProfiles, id);
    if (!stored) throw new NotFoundError(PROFILE, id);
    refuseNulls(body, ['name', 'provider_name', DATA]);
    const touches = body.provider_name !== undefined || body.availability_zone_data !== undefined;
    if (touches && (await isUsed(trx, 'availability_zone_profile', id))) throw inUse(PROFILE, id);
    const changes = Object.fromEntries(Object.entries(body)) as Partial<AvailabilityZoneProfileRow>;
    if (touches) checkProfile(deps, { ...stored, ...changes });
    if (typeof changes.availability_zone_data === 'string') await checkNamedGroup(trx, changes.availability_zone_data);
    await updateCatalogue(trx, 'availability_zone_profile', id, changes);
  });
}

/** @throws ServiceError */
export async function deleteAvailabilityZoneProfile({ db }: CommandDeps, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    await mustExist(trx, availabilityZoneProfiles, PROFILE, id);
    if (await isUsed(trx, 'availability_zone_profile', id)) throw inUse(PROFILE, id);
    await deleteCatalogue(trx, 'availability_zone_profile', id);
  });
}

function checkProfile({ settings }: CommandDeps, row: AvailabilityZoneProfileRow): void {
  checkProvider(row.provider_name, settings.providers);
  checkProfileData(row.availability_zone_data, {
    option: DATA,
    provider: row.provider_name,
    known: AVAILABILITY_ZONE_CAPABILITIES,
  });
}
