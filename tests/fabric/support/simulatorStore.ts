import type { ContrailObject, ContrailStore } from '../../support/simulators/contrail';
import type { ConfigurationStore } from './view';

/** What a simulator was told, in the form its API shows. */
export function readingFrom(store: ContrailStore): ConfigurationStore {
  return { list: (type) => store.list(type).map(present), onChange: (listener) => store.onChange(listener) };
}

function present({ uuid, fqName, properties, refs }: ContrailObject): object {
  const links = Object.entries(refs).map(([type, targets]) => [`${type.replaceAll('-', '_')}_refs`, targets]);
  return { ...properties, ...Object.fromEntries(links), uuid, fq_name: fqName };
}
