import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pino } from 'pino';
import { createGlanceDriver } from '../clouds/image/http';
import type { DiskFormat, Image, ImageDriver, Visibility } from '../clouds/image/port';
import { openOpenstackService } from '../clouds/openstack/service';
import { explained, openSession } from './operator/login';
import { formatMany, formatOne } from './operator/output';
import { type Flags, identityOf } from './operator/running';

const COLUMNS = ['id', 'name', 'status', 'tags', 'owner', 'visibility', 'size', 'created_at'];

/** `slipstream image list`. @throws Error that says what is missing, or what the cloud says */
export function list(flags: Flags): Promise<void> {
  return withGlance(flags, async (images) => {
    const found = await images.listImages({ tag: String(flags['tag']), ...ownerOf(flags) });
    return formatMany(found.map(show), COLUMNS, flags.format);
  });
}

/**
 * `slipstream image upload`. The same content under the same tags is not sent again: whatever sets a cloud up may do so
 * twice.
 * @throws as `list`, and what the file system says of the file
 */
export async function upload(file: string, usualTag: string, flags: Flags): Promise<void> {
  const given = flags['tag'] as readonly string[];
  const tags = given.length > 0 ? given : [usualTag];
  await withGlance(flags, (images) => uploadOnce(images, { file, tags }, flags));
}

async function uploadOnce(
  images: ImageDriver,
  { file, tags }: { readonly file: string; readonly tags: readonly string[] },
  flags: Flags,
): Promise<string> {
  const sha512 = await hashOf(file);
  const there = await images.listImages({ tag: tags[0] ?? '', ...ownerOf(flags) });
  const same = there.find(
    (image) => image.status === 'active' && image.sha512 === sha512 && tags.every((tag) => image.tags.includes(tag)),
  );
  const made =
    same ??
    (await images.uploadImage({
      name: typeof flags['name'] === 'string' ? flags['name'] : basename(file).replace(/\.(qcow2|img|raw)$/, ''),
      file,
      diskFormat: (flags['diskFormat'] as DiskFormat | undefined) ?? (await formatOf(file)),
      tags,
      visibility: flags['visibility'] as Visibility,
      properties: flags['property'] as Readonly<Record<string, string>>,
      ...ownerOf(flags),
    }));
  process.stderr.write(same ? `${file} is there already\n` : `${file} is uploaded\n`);
  return formatOne(show(made), flags.format);
}

function ownerOf(flags: Flags): { ownerId?: string } {
  return typeof flags['owner'] === 'string' ? { ownerId: flags['owner'] } : {};
}

function show({ ownerId, createdAt, ...image }: Image) {
  return { ...image, owner: ownerId, created_at: createdAt.toISOString() };
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

/** What every qcow2 file begins with. */
const QCOW2 = Buffer.from('QFI\xfb', 'latin1');

async function formatOf(file: string): Promise<DiskFormat> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(QCOW2.length), 0, QCOW2.length, 0);
    return buffer.subarray(0, bytesRead).equals(QCOW2) ? 'qcow2' : 'raw';
  } finally {
    await handle.close();
  }
}

async function withGlance(flags: Flags, work: (images: ImageDriver) => Promise<string>): Promise<void> {
  const found = identityOf(flags);
  const { auth_url: authUrl, region_name, interface: face = 'public', cacert } = found.identity;
  if (authUrl === undefined) {
    throw new Error('there is nobody to log in at: name a cloud by --os-cloud, or set OS_AUTH_URL and the like');
  }
  const login = openSession(found, authUrl);
  const service = openOpenstackService({
    name: 'Glance',
    types: ['image'],
    session: login.session,
    log: pino({ level: 'silent' }),
    options: {
      region_name: region_name ?? null,
      endpoint_type: face,
      ca_certificates_file: cacert ?? null,
      insecure: found.insecure,
    },
  });
  try {
    process.stdout.write(`${await work(createGlanceDriver(service))}\n`);
  } catch (error) {
    throw explained(error);
  } finally {
    await service.close();
    await login.close();
  }
}
