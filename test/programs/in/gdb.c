/* Something for gdb to look at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum colour { RED, GREEN, BLUE };
struct node { int value; enum colour colour; char name[12]; struct node *next; };
static struct node *list;
static int depth;

static int walk(const struct node *n)
{
    depth++;
    if (n == NULL)
        return 0;
    return n->value + walk(n->next);
}

static void add(int i)
{
    struct node *n = malloc(sizeof *n);
    n->value = i * i;
    n->colour = (enum colour)(i % 3);
    snprintf(n->name, sizeof n->name, "node%d", i);
    n->next = list;
    list = n;
}

int main(void)
{
    int i;
    for (i = 0; i < 20; i++)
        add(i);
    printf("%d\n", walk(list));
    return depth == 21 ? 0 : 1;
}
