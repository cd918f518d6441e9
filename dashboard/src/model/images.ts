/** Images, as people say them. */
import type { Deployment } from '../api/types';

/** The version of an image that has one, else its last name. */
export function label(image: string | null | undefined): string {
  if (!image) return 'unknown';
  const parts = image.includes('/') ? image.split('/') : image.split(':');
  return parts.filter(Boolean).at(-1) ?? image;
}

/** The name of a gallery image, without its version. */
export function imageName(image: string | null | undefined): string {
  const named = /\/galleries\/([^/]+)\/images\/([^/]+)/i.exec(image ?? '');
  return named ? `${named[1]}/${named[2]}` : label(image);
}

/** From which image to which a deployment goes: versions where the image is one, else with their images' names. */
export function fromTo(image: Deployment['image']): { from: string; to: string } {
  const to = image.pinned ?? image.requested;
  const [from, name] = [image.previous, imageName(to)];
  if (!from) return { from: '', to: to ? label(to) : 'its model' };
  if (!to) return { from: label(from), to: label(from) };
  if (imageName(from) === name || !from.includes('/')) return { from: label(from), to: label(to) };
  return { from: `${imageName(from)} ${label(from)}`, to: `${name} ${label(to)}` };
}
