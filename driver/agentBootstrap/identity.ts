import { z } from 'zod';

/** Who an engine is and whom it calls: what its server was told when it was made. */
export const EngineIdentity = z.object({
  engineId: z.string().min(1),
  /** WebSocket URLs. */
  controllers: z.array(z.url({ protocol: /^wss?$/ })).min(1),
  token: z.string().min(1),
  /** SHA-256 of the certificate of the controllers' CA, hex; absent where they speak in clear. */
  caFingerprint: z.string().min(1).exactOptional(),
});
export type EngineIdentity = z.infer<typeof EngineIdentity>;

const MetaData = z.object({ meta: z.record(z.string(), z.string()).default({}) });

const ENGINE = 'slipstream_engine';
const TOKEN = 'AVICNTRL_AUTHTOKEN';
const CA_FINGERPRINT = 'slipstream_ca_fingerprint';
const CONTROLLER = /^slipstream_controller_(\d+)$/;
/** Where the addresses come from when there are no whole URLs: Avi's names carry no ports. */
const [FIRST_ADDRESS, ALL_ADDRESSES] = ['AVICNTRL', 'AVICNTRL_IPS'];
const PORT = 5555;

/** Reads Nova's `meta_data.json`. @throws Error that names everything that is missing there */
export function readIdentity(content: string): EngineIdentity {
  const { meta } = MetaData.parse(JSON.parse(content));
  const controllers = findControllers(meta);
  const missing = [
    ...[ENGINE, TOKEN].filter((key) => !meta[key]),
    ...(controllers.length === 0 ? [FIRST_ADDRESS] : []),
  ];
  if (missing.length > 0) throw new Error(`the metadata of this server lacks ${missing.join(', ')}`);
  const trust = meta[CA_FINGERPRINT] ? { caFingerprint: meta[CA_FINGERPRINT] } : {};
  return EngineIdentity.parse({ engineId: meta[ENGINE], controllers, token: meta[TOKEN], ...trust });
}

function findControllers(meta: Readonly<Record<string, string>>): string[] {
  const urls = Object.entries(meta)
    .map(([key, url]) => ({ index: Number(CONTROLLER.exec(key)?.[1] ?? Number.NaN), url }))
    .filter(({ index }) => !Number.isNaN(index))
    .sort((one, other) => one.index - other.index)
    .map(({ url }) => url);
  if (urls.length > 0) return urls;
  const addresses = [meta[FIRST_ADDRESS] ?? '', ...(meta[ALL_ADDRESSES] ?? '').split(',')];
  const hosts = new Set(addresses.map((address) => address.trim()).filter((address) => address !== ''));
  const scheme = meta[CA_FINGERPRINT] ? 'wss' : 'ws';
  return [...hosts].map((host) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${PORT}`);
}
