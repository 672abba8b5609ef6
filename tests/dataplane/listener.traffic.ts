import { describeRows } from './describeRows';
import { TABLE } from './table';

describeRows('listeners', TABLE.listener, { vipCidr: '127.110.0.0/24' });
