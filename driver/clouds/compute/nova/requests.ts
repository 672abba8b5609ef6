import type { ServerRequest } from '../port';
import { ownershipOf } from './ownership';
import type { NovaSettings } from './settings';

/** What is looked up before a server can be made. */
export interface Found {
  readonly imageId: string;
  readonly flavorId: string;
  readonly serverGroupId: string | null;
}

/** The body that makes a server. */
export function fromRequest(request: ServerRequest, settings: NovaSettings, found: Found) {
  const { imageId, flavorId, serverGroupId } = found;
  const { tags, metadata } = ownershipOf(settings.owner, request.engineId);
  const availabilityZone = request.availabilityZone ?? settings.availabilityZone;
  return {
    server: {
      name: request.name,
      flavorRef: flavorId,
      imageRef: imageId,
      min_count: 1,
      max_count: 1,
      tags,
      metadata: { ...metadata, ...bootstrapOf(request) },
      config_drive: settings.bootstrap === 'config_drive',
      ...networksOf(request, settings),
      ...(settings.keyName === null ? {} : { key_name: settings.keyName }),
      ...(availabilityZone === null ? {} : { availability_zone: availabilityZone }),
    },
    ...(serverGroupId === null ? {} : { 'os:scheduler_hints': { group: serverGroupId } }),
  };
}

/** Nova deletes the ports it makes together with the server; groups are of these ports alone, it refuses to change others. */
function networksOf({ portIds = [] }: ServerRequest, { networkIds, securityGroupIds }: NovaSettings) {
  const others = networkIds.slice(portIds.length);
  return {
    networks: [...portIds.map((port) => ({ port })), ...others.map((uuid) => ({ uuid }))],
    ...(securityGroupIds.length === 0 || others.length === 0
      ? {}
      : { security_groups: securityGroupIds.map((name) => ({ name })) }),
  };
}

/** Nova takes so many characters a value. */
const MAX_VALUE = 255;

/** Avi's names (the first controller; all of them) and, since they carry no ports, the whole URLs one by one. */
function bootstrapOf({ token, controllers, caFingerprint }: ServerRequest): Record<string, string> {
  const hosts = [...new Set(controllers.map(hostOf))];
  return {
    AVICNTRL: hosts[0] ?? '',
    AVICNTRL_IPS: joinWithin(hosts, MAX_VALUE),
    AVICNTRL_AUTHTOKEN: token,
    ...(caFingerprint === undefined ? {} : { slipstream_ca_fingerprint: caFingerprint }),
    ...Object.fromEntries(controllers.map((url, index) => [`slipstream_controller_${index}`, url])),
  };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

function joinWithin(words: readonly string[], length: number): string {
  let joined = '';
  for (const word of words) {
    const longer = joined === '' ? word : `${joined},${word}`;
    if (longer.length > length) break;
    joined = longer;
  }
  return joined;
}
