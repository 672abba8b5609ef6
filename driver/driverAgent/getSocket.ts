import { z } from 'zod';
import type { Db } from '../db/connect';
import type { ProviderDict } from '../db/providerDicts';
import { PROVIDER_TABLES, type ProviderKind } from '../db/providerOwners';
import { readProviderObject } from '../db/read/providerObjects';

const Request = z.object({
  object: z.enum(Object.keys(PROVIDER_TABLES) as [ProviderKind, ...ProviderKind[]]),
  id: z.string(),
});

/**
 * An object with everything below it, of any provider; `{}` when there is none, or no such kind of object.
 * @throws DbUnavailableError, ZodError for what is no request: the client then gets no answer and says so
 */
export async function getObject(db: Db, request: unknown): Promise<ProviderDict> {
  const { object, id } = Request.parse(request);
  return (await readProviderObject(db, object, id)) ?? {};
}
