import type { ReadModel } from '../../driver/db/read/model';
import type { TreeTable } from '../../driver/db/read/owners';

/** What reading and authorizing need to know of one kind of object. */
export interface Kind<R, V extends object> {
  readonly model: ReadModel;
  readonly view: (row: R) => V;
  readonly table: TreeTable;
  /** Octavia's spelling in "X U not found.". */
  readonly title: string;
  /** Name in policy rules. */
  readonly object: 'loadbalancer' | 'listener' | 'pool' | 'member' | 'healthmonitor' | 'l7policy' | 'l7rule';
  /** Key of one object in a body, and of many. */
  readonly root: string;
  readonly plural: string;
  /** Parameter of the path that holds the object's id. */
  readonly idParam: string;
}

/** The column and path parameter of a parent that is part of the path. */
export interface Parent {
  readonly param: string;
  readonly column: string;
}
