import { allocate, bookOf, exhausted, forgetHints, subnetsOf } from './addresses';
import { crash, notFound } from './fault';
import { type Json, listOf, type Members, textOf } from './json';
import { repr } from './python';
import { TYPES } from './schema/types';
import type { Site } from './site';

/** `POST /useragent-kv`: a store of any text by any key. Undefined: the answer has no body. */
export function keepUserAgent({ db: { userAgents } }: Site, body: Members): Members | undefined {
  const key = body['key'] ?? null;
  switch (body['operation']) {
    case 'STORE':
      userAgents.set(String(key), body['value'] ?? null);
      return undefined;
    case 'DELETE':
      userAgents.delete(String(key));
      return undefined;
    case 'RETRIEVE': {
      if (Array.isArray(key)) return { value: key.flatMap((one) => userAgents.get(String(one)) ?? []) };
      const value = userAgents.get(String(key));
      if (value === undefined) throw notFound(`Unknown User-Agent key ${String(key)}`);
      return { value };
    }
    default:
      throw notFound(`Invalid Operation ${String(body['operation'])}`);
  }
}

/** `POST /id-to-fqname` */
export function nameOfUuid({ db }: Site, body: Members): Members {
  const uuid = textOf(body['uuid']) ?? '';
  const entity = db.get(uuid);
  if (!entity) throw notFound(`Unknown id: ${uuid}`);
  return { fq_name: entity.fqName, type: entity.type };
}

/** `POST /fqname-to-id`, once projects have been fetched. */
export function uuidOfName({ db }: Site, body: Members): Members {
  const type = (textOf(body['type']) ?? '').replaceAll('_', '-');
  if (!TYPES.has(type)) throw notFound(`Resource type ${repr(body['type'])} not found`);
  const name = listOf(body['fq_name']);
  const entity = db.named(type, name.map(String));
  if (!entity) throw notFound(`Name ${repr(name)} not found`);
  return { uuid: entity.uuid };
}

/** The owner of addresses that no object has. */
const NOBODY = 'ip-alloc';

/** `POST /virtual-network/<uuid>/ip-alloc`: addresses without an object; what it got before it failed is lost. */
export function allocateAddresses({ db }: Site, uuid: string, body: Members): Members {
  const network = db.typed('virtual-network', uuid);
  if (!network) throw notFound(`Virtual Network ${uuid} not found!`);
  const subnetUuid = textOf(body['subnet']);
  if (subnetUuid !== undefined && !subnetsOf(network).some((subnet) => subnet.uuid === subnetUuid)) throw crash();
  const family = textOf(body['family']);
  const addresses: string[] = [];
  for (let count = Number(body['count'] ?? 1); count > 0; count -= 1) {
    addresses.push(allocate(db, network, { owner: NOBODY, subnetUuid, family, whenFull: 409 }).address);
  }
  if (addresses.length === 0) throw exhausted(network, 409);
  return { ip_addr: addresses };
}

/** `POST /virtual-network/<uuid>/ip-free` */
export function freeAddresses({ db }: Site, uuid: string, body: Members): void {
  const book = bookOf(db, uuid);
  for (const address of listOf(body['ip_addr']).map(String)) {
    if (book.get(address) === NOBODY) book.delete(address);
  }
  forgetHints(book);
}

/** Addresses of a subnet that are always taken: the network's, the last, the gateway's, the DNS's, and one more that it counts. */
const ALWAYS_TAKEN = 5;

/** `POST /virtual-network/<uuid>/subnet-ip-count` */
export function countAddresses({ db }: Site, uuid: string, body: Members): Members {
  const network = db.typed('virtual-network', uuid);
  if (!network) throw notFound(`Unknown id: ${uuid}`);
  const taken: Json[] = listOf(body['subnet_list']).map(() => bookOf(db, uuid).size + ALWAYS_TAKEN);
  return { ip_count_list: taken };
}
