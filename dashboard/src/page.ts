/** What every view has of the page around it. */
import type { CommandKind, Deployment, DeploymentBody } from './api/types';
import type { Me } from './api/me';

/** With what the dialog opens. `retryOf` goes on where that deployment ended. */
export interface Wanted extends Partial<DeploymentBody> {
  groupId: string;
}

export interface Page {
  /** The server's time, when this was drawn. */
  now: number;
  me: Me | null;
  /** For how many seconds the app has not been reached; 0 while it is. */
  lost: number;
  /** Open the dialog. */
  deploy: (wanted: Wanted) => void;
  /** Ask whether a command is meant. */
  confirm: (command: CommandKind | 'takeBack', deployment: Deployment) => void;
  /** Change the address without a step in the history. */
  replace: (path: string) => void;
  copy: (text: string, what: string) => void;
  save: (name: string, content: string, type: string) => void;
}
