// xmp.c - see animation.h: settings as XML, the way that pictures carry them
//
// Elsewhere: Adobe's XMP, part 1 (ISO 16684-1): RDF with a namespace for whose properties they are. exiftool shows them.

#include "export/animation.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool xml_name(const char *key) {
    bool begins = isalpha((unsigned char)*key) || *key == '_';
    for (const char *c = key; *c; c++) begins &= isalnum((unsigned char)*c) || strchr("_.-", *c);
    return begins;
}

// XML has no place for control characters other than tab and line ends.
static void write_text(FILE *stream, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", stream); break;
        case '<': fputs("&lt;", stream); break;
        case '>': fputs("&gt;", stream); break;
        case '\r': fputs("&#13;", stream); break;
        default: fputc((unsigned char)*text < ' ' && !strchr("\t\n", *text) ? '?' : *text, stream);
        }
    }
}

char *xmp_packet(const Metadata *metadata, size_t count) {
    char *packet = NULL;
    size_t size;
    FILE *stream = open_memstream(&packet, &size);
    if (!stream) return NULL;
    fputs("<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
          "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
          "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
          "<rdf:Description rdf:about=\"\" xmlns:sculpt=\"urn:sculpt:settings\">\n",
          stream);
    for (size_t i = 0; i < count; i++) {
        if (!xml_name(metadata[i].key)) continue;
        fprintf(stream, "<sculpt:%s>", metadata[i].key);
        write_text(stream, metadata[i].value);
        fprintf(stream, "</sculpt:%s>\n", metadata[i].key);
    }
    fputs("</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>\n", stream);
    if (fclose(stream) == 0) return packet;
    return NULL;
}
