/** Takes files that are dropped anywhere on the page. */
export function onDroppedFiles(take: (files: readonly File[]) => void): void {
  // A browser would open a file that is dropped beside the field, and the page would be gone.
  addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dragging');
  });
  addEventListener('dragleave', () => document.body.classList.remove('dragging'));
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dragging');
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
