import type { Transformer } from '../../../domain/analytics';
import { findAll, parseSandesh, textIn } from '../introspect/sandesh';
import { type AskOptions, askForText } from './ask';

/** Over the introspect pages of a schema transformer. @param address `http://host:8087` */
export function createTransformer(address: string, options: AskOptions): Transformer {
  return {
    address,
    async knowsBgpService(id) {
      const query = new URLSearchParams({ object_type: 'bgp_as_a_service', object_id_or_fq_name: id });
      const answer = await askForText(`${address}/Snh_StObjectReq?${query}`, options);
      if (answer === undefined) throw new Error('HTTP 404');
      return findAll(parseSandesh(answer), 'StObject').some((it) => textIn(it, 'object_uuid') === id);
    },
  };
}
