import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.BufferedOutputStream;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * A compiler that stays warm: sources in, classes or a complaint out, nothing on disk.
 *
 * <p>Asked: 1 for several programs or 0 for one, a count, then for each source its file name and
 * text. Answered: 0, a count, then for each class its name and bytes; or 1, the first error, a
 * count, and the files with errors. Every text is a length and bytes.
 */
public class Compiler {
    static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String name, String text) {
            super(URI.create("string:///" + name), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreErrors) {
            return text;
        }
    }

    static final class Made extends SimpleJavaFileObject {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Made(int number) {
            super(URI.create("memory:///" + number + ".class"), Kind.CLASS);
        }

        @Override
        public OutputStream openOutputStream() {
            return bytes;
        }
    }

    static final class Memory extends ForwardingJavaFileManager<JavaFileManager> {
        final Map<String, Made> made = new LinkedHashMap<>();

        Memory(JavaFileManager below) {
            super(below);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            Made file = new Made(made.size());
            made.put(name, file);
            return file;
        }
    }

    private static final List<String> OPTIONS =
            List.of("-proc:none", "-implicit:none", "-nowarn", "-Xlint:none", "-g:none",
                    "-classpath", "/nonexistent", "-sourcepath", "/nonexistent");

    /** Several programs are read to the end, so that one call finds all that have errors. */
    private static final List<String> ALL_ERRORS = new ArrayList<>(OPTIONS);

    static {
        ALL_ERRORS.addAll(List.of("-XDshould-stop.ifError=FLOW", "-Xmaxerrs", "10000"));
    }

    public static void main(String[] arguments) throws IOException {
        DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        JavaFileManager library =
                compiler.getStandardFileManager(null, Locale.ROOT, StandardCharsets.UTF_8);
        while (true) {
            List<JavaFileObject> sources = new ArrayList<>();
            List<String> options;
            try {
                options = in.readInt() == 0 ? OPTIONS : ALL_ERRORS;
            } catch (EOFException end) {
                return;
            }
            int count = in.readInt();
            for (int i = 0; i < count; i++) {
                String name = read(in);
                sources.add(new Source(name, read(in)));
            }
            compile(compiler, new Memory(library), options, sources, out);
            out.flush();
        }
    }

    private static void compile(
            JavaCompiler compiler, Memory memory, List<String> options,
            List<JavaFileObject> sources, DataOutputStream out) throws IOException {
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        String trouble = "";
        boolean done = false;
        try {
            done = compiler.getTask(
                    new StringWriter(), memory, said, options, null, sources).call();
        } catch (StackOverflowError | RuntimeException error) {
            trouble = "the compiler gave up: " + error.getClass().getName();
        }
        if (done) {
            out.writeInt(0);
            out.writeInt(memory.made.size());
            for (Map.Entry<String, Made> each : memory.made.entrySet()) {
                write(out, each.getKey().getBytes(StandardCharsets.UTF_8));
                write(out, each.getValue().bytes.toByteArray());
            }
            return;
        }
        Set<String> faulty = new LinkedHashSet<>();
        for (Diagnostic<? extends JavaFileObject> each : said.getDiagnostics()) {
            if (each.getKind() != Diagnostic.Kind.ERROR) {
                continue;
            }
            String where = each.getSource() == null ? "" : each.getSource().getName();
            faulty.add(where);
            if (trouble.isEmpty()) {
                trouble = where + ":" + each.getLineNumber() + ": " + each.getMessage(Locale.ROOT);
            }
        }
        out.writeInt(1);
        write(out, trouble.getBytes(StandardCharsets.UTF_8));
        out.writeInt(faulty.size());
        for (String name : faulty) {
            write(out, name.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String read(DataInputStream in) throws IOException {
        byte[] bytes = new byte[in.readInt()];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void write(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }
}
